// Written by scripts/generate.mjs from src/documents/*.graphql.
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocument as DocumentNode } from './document.js';
/** The invitation to accept. */
export type AcceptInviteInput = {
  /** For a newcomer; the invitation's value when omitted. */
  firstName?: string | null | undefined;
  /** The invitation. */
  invitation: InvitationReference;
  /** For a newcomer; the invitation's value when omitted. */
  lastName?: string | null | undefined;
  /** A newcomer's password: at least eight characters, and not a common one. */
  password?: string | null | undefined;
  /** How a newcomer's client sends its session token. */
  transport?: SessionTransport | null | undefined;
};

/** A choice of roles, groups and permissions. A list that is omitted counts as empty. */
export type ChosenGrantInput = {
  /** The groups that the member will be in. */
  groupIds?: Array<string> | null | undefined;
  /** The permissions to grant in addition; `key:own` grants one for the member's own resources only. */
  permissions?: Array<string> | null | undefined;
  /** The roles to grant. */
  roleIds?: Array<string> | null | undefined;
};

/** The invitation to decline. */
export type DeclineInviteInput = {
  /** Whether to refuse all further invitations from this account too, as `blockInvitations` does. */
  blockAccount?: boolean | null | undefined;
  /** The invitation. */
  invitation: InvitationReference;
};

/** The status of a mail's delivery. */
export type DeliveryStatus =
  /** It was returned as undeliverable. */
  | 'BOUNCED'
  /** The mail server refused it, or the last attempt to send it failed. */
  | 'FAILED'
  /** No mail was requested. The link was handed over instead. */
  | 'NOT_REQUESTED'
  /** It waits to be sent to the mail server. */
  | 'QUEUED'
  /** The mail server accepted it. */
  | 'SENT';

/** What an invitation grants: one of two forms. */
export type InvitationGrantInput =
  {   /** Every permission, but not the ownership. Must be true. */
  allPermissions: boolean; chosen?: never; }
  |  { allPermissions?: never;   /** Chosen roles, groups and permissions. At least one of the lists must not be empty. */
  chosen: ChosenGrantInput; };

/** The next step that the accept page should ask for. */
export type InvitationNextStep =
  /** A click is enough, because the addressee is signed in. */
  | 'ACCEPT'
  /** Nothing, because the invitation is not open. */
  | 'NONE'
  /** Signing in, because the address has a user. */
  | 'SIGN_IN'
  /** Signing in or choosing a password. A link that was handed over and not mailed does not reveal whether the address has a user. */
  | 'SIGN_IN_OR_SIGN_UP'
  /** Choosing a password, because the address has no user. */
  | 'SIGN_UP'
  /** Signing in as the addressee, because another user is signed in. */
  | 'SWITCH_ACCOUNT';

/** An invitation, as its addressee knows it. */
export type InvitationReference =
  {   /** The id. The viewer must be the addressee. */
  id: string; token?: never; }
  |  { id?: never;   /** The part of the link after the #. */
  token: string; };

/** The status of an invitation. */
export type InvitationStatus =
  /** The addressee accepted it and became a member. */
  | 'ACCEPTED'
  /** The addressee declined. */
  | 'DECLINED'
  /** It has expired. */
  | 'EXPIRED'
  /** It is open: the addressee can accept or decline it. */
  | 'PENDING'
  /** It was revoked. */
  | 'REVOKED';

/** What to do with an address that has an open invitation. */
export type InviteConflict =
  /** Fail with ALREADY_INVITED. */
  | 'FAIL'
  /** Resend the open invitation. Its grant stays the same. */
  | 'RESEND';

/** The kinds of change of an invitation. */
export type InviteEventType =
  /** The addressee accepted it. */
  | 'ACCEPTED'
  /** It was created. */
  | 'CREATED'
  /** The addressee declined. */
  | 'DECLINED'
  /** The delivery of its mail changed: sent, failed or bounced. */
  | 'DELIVERY_CHANGED'
  /** It has expired. */
  | 'EXPIRED'
  /** Something that invitations refer to has changed or was deleted: a role, a group, a division, a user, the team or the account. */
  | 'REFERENCE_CHANGED'
  /** It was resent with a new link. */
  | 'RESENT'
  /** It was revoked. */
  | 'REVOKED'
  /** Its grant, the names in it, or its expiry changed. */
  | 'UPDATED';

/** An invitation to send. */
export type InviteUserInput = {
  /** The domains that the member will be restricted to, such as example.com, with all their subdomains; at most 100. */
  allowedDomains?: Array<string> | null | undefined;
  /** The divisions that the member will be restricted to, with all below them; at most 100. */
  divisionIds?: Array<string> | null | undefined;
  /** The address. */
  email: string;
  /** For how many hours it is valid: 1 to 720. The default is the account's setting. */
  expiresInHours?: number | null | undefined;
  /** A default for the newcomer's user. */
  firstName?: string | null | undefined;
  /** What the member will be able to do. */
  grant: InvitationGrantInput;
  /** A key that the client chooses. For 24 hours the same call with the same key returns the same result and has no further effect. */
  idempotencyKey?: string | null | undefined;
  /** A default for the newcomer's user. */
  jobTitle?: string | null | undefined;
  /** A default for the newcomer's user. */
  lastName?: string | null | undefined;
  /** Plain text for the mail, at most 500 characters. */
  note?: string | null | undefined;
  /** What to do with an address that has an open invitation. */
  onConflict?: InviteConflict | null | undefined;
  /** When false, no mail is sent, and the payload contains `inviteUrl` this one time. */
  sendEmail?: boolean | null | undefined;
  /** The team. */
  teamId: string;
};

/** The direction in which a list is ordered. */
export type OrderDirection =
  /** The smallest or oldest value first. */
  | 'ASC'
  /** The largest or newest value first. */
  | 'DESC';

/** Selects people. */
export type PersonFilter = {
  /** Only those who are restricted to this division, or will be. */
  divisionId?: string | null | undefined;
  /** Only those who are in this group, or will be in it. */
  groupId?: string | null | undefined;
  /** Only those who have this role, or are offered it, directly or by a group. */
  roleId?: string | null | undefined;
  /** Only those whose name and address contain every word of this text, in any order. Case, accents and forms of letters are ignored: `lukasz` finds Łukasz. At most 200 characters. */
  search?: string | null | undefined;
  /** Only people in these states; an empty list selects all. */
  status?: Array<PersonStatus> | null | undefined;
};

/** How people are ordered. */
export type PersonOrder = {
  /** The direction. */
  direction?: OrderDirection;
  /** The field to order by. */
  field: PersonOrderField;
};

/** What people can be ordered by. */
export type PersonOrderField =
  /** When they became members, or were invited. */
  | 'ADDED_AT'
  /** The address. */
  | 'EMAIL'
  /** When they were last active. Members who never were, and invitations, come first. */
  | 'LAST_SEEN_AT'
  /** The name; the address of people without a name. */
  | 'NAME';

/** The status of a person. */
export type PersonStatus =
  /** An active member. */
  | 'ACTIVE'
  /** An address whose invitation was accepted, declined or revoked. No list of people contains it. */
  | 'CLOSED'
  /** A deactivated member. */
  | 'DEACTIVATED'
  /** An address with an expired invitation. */
  | 'EXPIRED'
  /** An address with an open invitation. */
  | 'INVITED';

/** An invitation to resend. */
export type ResendInviteInput = {
  /** For how many hours from now it is valid: 1 to 720. The default is the account's setting. */
  expiresInHours?: number | null | undefined;
  /** The invitation. */
  invitationId: string;
  /** When false, no mail is sent, and the payload contains `inviteUrl` this one time. */
  sendEmail?: boolean | null | undefined;
};

/** An invitation to revoke. */
export type RevokeInviteInput = {
  /** The invitation. */
  invitationId: string;
};

/** How the client sends its session token. */
export type SessionTransport =
  /** In the header `Authorization: Bearer …`, which the client sets. */
  | 'BEARER'
  /** In a cookie that scripts cannot read. It can be set over HTTP only, not over a WebSocket. */
  | 'COOKIE';

/** The new roles, groups and direct permissions of a member. A list that is omitted counts as empty. At least one list must be given, and may be empty. */
export type SetRolesInput = {
  /** The version that the client has read. The mutation fails with CONFLICT when the stored version is another one. */
  expectedVersion?: number | null | undefined;
  /** The groups. */
  groupIds?: Array<string> | null | undefined;
  /** The member. */
  memberId: string;
  /** The direct permissions; `key:own` grants one for the member's own resources only. */
  permissions?: Array<string> | null | undefined;
  /** The roles. */
  roleIds?: Array<string> | null | undefined;
};

/** The kinds of change of a team. */
export type TeamEventType =
  /** The account's name, settings, limits or status changed. */
  | 'ACCOUNT_UPDATED'
  /** An API key was created in the account. Only viewers who may see the key receive this, and the two below. */
  | 'API_KEY_CREATED'
  /** An API key of the account was revoked. */
  | 'API_KEY_REVOKED'
  /** The name or the permissions of an API key of the account changed. */
  | 'API_KEY_UPDATED'
  /** A division was created in the account. */
  | 'DIVISION_CREATED'
  /** A division of the account was deleted. */
  | 'DIVISION_DELETED'
  /** A division of the account was renamed or moved. */
  | 'DIVISION_UPDATED'
  /** A group was created in the account. */
  | 'GROUP_CREATED'
  /** A group of the account was deleted. */
  | 'GROUP_DELETED'
  /** A group of the account changed. */
  | 'GROUP_UPDATED'
  /** The addressee accepted an invitation. */
  | 'INVITATION_ACCEPTED'
  /** An invitation was created. */
  | 'INVITATION_CREATED'
  /** The addressee declined an invitation. */
  | 'INVITATION_DECLINED'
  /** The delivery of an invitation's mail changed: sent, failed or bounced. */
  | 'INVITATION_DELIVERY_CHANGED'
  /** An invitation has expired. */
  | 'INVITATION_EXPIRED'
  /** An invitation was resent with a new link. */
  | 'INVITATION_RESENT'
  /** An invitation was revoked. */
  | 'INVITATION_REVOKED'
  /** The grant of an invitation, the names in it, or its expiry changed. */
  | 'INVITATION_UPDATED'
  /** A member was deactivated. */
  | 'MEMBER_DEACTIVATED'
  /** A member accepted an invitation. */
  | 'MEMBER_JOINED'
  /** A member was reactivated. */
  | 'MEMBER_REACTIVATED'
  /** A member left or was removed. */
  | 'MEMBER_REMOVED'
  /** The roles, groups, permissions, restrictions or name of a member changed. Viewers without `members.read` receive it for their own membership, and for the owner's name. */
  | 'MEMBER_UPDATED'
  /** A member accepted the ownership and is the owner of the team. */
  | 'OWNER_CHANGED'
  /** A role was created in the account. */
  | 'ROLE_CREATED'
  /** A role of the account was deleted, and perhaps replaced by another one. */
  | 'ROLE_DELETED'
  /** A role of the account changed. */
  | 'ROLE_UPDATED'
  /** Another team was created in the account. */
  | 'TEAM_CREATED'
  /** Another team of the account was deleted. When the followed team is deleted, the subscription ends with NOT_FOUND. */
  | 'TEAM_DELETED'
  /** The team was renamed, or another team of the account that the viewer may see. */
  | 'TEAM_UPDATED'
  /** The offer of the ownership was taken back, or ended because the member left or was deactivated. */
  | 'TRANSFER_CANCELED'
  /** The member has declined the ownership. */
  | 'TRANSFER_DECLINED'
  /** The offer of the ownership has expired. */
  | 'TRANSFER_EXPIRED'
  /** The owner has offered the ownership to a member. */
  | 'TRANSFER_REQUESTED';

/** The kinds of wrong input. */
export type UserErrorCode =
  /** The user was removed from every team. */
  | 'ACCESS_REVOKED'
  /** The account is suspended. */
  | 'ACCOUNT_SUSPENDED'
  /** The address has an open invitation. */
  | 'ALREADY_INVITED'
  /** The address belongs to a member of the team. */
  | 'ALREADY_MEMBER'
  /** The account has 200 API keys that work, the most there can be. */
  | 'API_KEY_LIMIT_REACHED'
  /** The user has to sign in first. */
  | 'AUTHENTICATION_REQUIRED'
  /** A required value is missing. */
  | 'BLANK'
  /** The viewer cannot do this to themselves. */
  | 'CANNOT_ACT_ON_SELF'
  /** Another request changed the object first. */
  | 'CONFLICT'
  /** The account has 1,000 divisions, the most there can be. */
  | 'DIVISION_LIMIT_REACHED'
  /** The domain is outside the domains that the viewer is restricted to. */
  | 'DOMAIN_NOT_ALLOWED'
  /** The same object occurs earlier in the list. */
  | 'DUPLICATE'
  /** The viewer is not the addressee. */
  | 'EMAIL_MISMATCH'
  /** The address has not been verified yet. */
  | 'EMAIL_NOT_VERIFIED'
  /** The address belongs to another user by now. */
  | 'EMAIL_TAKEN'
  /** The account does not have this feature. */
  | 'FEATURE_NOT_AVAILABLE'
  /** Open invitations grant nothing but the group. */
  | 'GROUP_IN_USE'
  /** The account has 500 groups, the most there can be. */
  | 'GROUP_LIMIT_REACHED'
  /** The idempotency key was used for another call. */
  | 'IDEMPOTENCY_KEY_REUSED'
  /** The address or the password is wrong. */
  | 'INVALID_CREDENTIALS'
  /** The text is not an e-mail address. */
  | 'INVALID_EMAIL'
  /** The grant is empty: it has no role, group or permission, and not all permissions. For a member: no list was given. */
  | 'INVALID_GRANT'
  /** The token is unknown, used, or replaced by a newer one. */
  | 'INVALID_TOKEN'
  /** The value is not allowed. */
  | 'INVALID_VALUE'
  /** The invitation was already accepted. */
  | 'INVITATION_ALREADY_ACCEPTED'
  /** The invitation was declined. */
  | 'INVITATION_DECLINED'
  /** The invitation has expired. */
  | 'INVITATION_EXPIRED'
  /** The invitation was revoked. */
  | 'INVITATION_REVOKED'
  /** The granter no longer holds everything that the invitation grants. */
  | 'INVITER_LOST_GRANT'
  /** The address takes no invitations from this account now: it declined one, or was invited and revoked too often, or its owner has blocked the account. `retryAfterSeconds` says when to try again, if waiting helps. Another team, inviter or spelling does not help. */
  | 'INVITE_COOL_OFF'
  /** The member is deactivated in this team. When the address of an invitation belongs to them, `member` says who: reactivate them instead. */
  | 'MEMBER_DEACTIVATED'
  /** There is no such object that the viewer may use. */
  | 'NOT_FOUND'
  /** The grant goes beyond the viewer's own permissions or divisions. */
  | 'NOT_GRANTABLE'
  /** This cannot be done to the owner. The ownership has to be transferred first. */
  | 'OWNER_PROTECTED'
  /** A newcomer has to choose a password. */
  | 'PASSWORD_REQUIRED'
  /** The account has as many open invitations as its limit allows. */
  | 'PENDING_LIMIT_REACHED'
  /** The permission is not in the catalogue. */
  | 'PERMISSION_UNKNOWN'
  /** The invitation was resent too often or too recently. */
  | 'RESEND_LIMIT_REACHED'
  /** Members, groups or open invitations have the role. */
  | 'ROLE_IN_USE'
  /** The account has 200 roles, the most there can be. Those of the preset count. */
  | 'ROLE_LIMIT_REACHED'
  /** The account has no such role. */
  | 'ROLE_NOT_FOUND'
  /** A role of the preset cannot be changed. */
  | 'ROLE_PROTECTED'
  /** The team has as many members as its limit allows. */
  | 'SEAT_LIMIT_REACHED'
  /** The account has as many teams as its limit allows. */
  | 'TEAM_LIMIT_REACHED'
  /** The text is longer than allowed. */
  | 'TOO_LONG'
  /** The transfer of ownership is not open any more. */
  | 'TRANSFER_NOT_PENDING'
  /** The ownership is already offered to a member. */
  | 'TRANSFER_PENDING'
  /** The user is deactivated in every team. */
  | 'USER_DEACTIVATED'
  /** The password is too short, too long or too common. */
  | 'WEAK_PASSWORD';

/** The kinds of change of the viewer's permissions. */
export type ViewerAccessEventType =
  /** The viewer's permissions or restrictions in the team changed. */
  | 'CHANGED'
  /** The viewer is an active member of the team now. */
  | 'GRANTED'
  /** The viewer is not an active member of the team any more. */
  | 'REVOKED'
  /** The session has ended. This is the last item of the subscription. */
  | 'SIGNED_OUT';

export type InviteUserMutationVariables = Exact<{
  input: InviteUserInput;
}>;


export type InviteUserMutation = { inviteUser: { inviteUrl: string | null, invitation: { __typename: 'Invitation', sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> } | null, userErrors: Array<{ code: UserErrorCode, field: Array<string>, message: string }> } | null };

export type ResendInviteMutationVariables = Exact<{
  input: ResendInviteInput;
}>;


export type ResendInviteMutation = { resendInvite: { inviteUrl: string | null, invitation: { __typename: 'Invitation', sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> } | null, userErrors: Array<{ code: UserErrorCode, field: Array<string>, message: string }> } | null };

export type RevokeInviteMutationVariables = Exact<{
  input: RevokeInviteInput;
}>;


export type RevokeInviteMutation = { revokeInvite: { invitation: { __typename: 'Invitation', sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> } | null, userErrors: Array<{ code: UserErrorCode, field: Array<string>, message: string }> } | null };

export type TeamChangedSubscriptionVariables = Exact<{
  teamId: string;
  after?: string | null | undefined;
}>;


export type TeamChangedSubscription = { teamChanged: { cursor: string, type: TeamEventType, at: string, nodeId: string, reload: boolean, node:
      | { __typename: 'Account', id: string }
      | { __typename: 'ApiKey', id: string }
      | { __typename: 'Division', id: string }
      | { __typename: 'Event', id: string }
      | { __typename: 'Group', id: string }
      | { __typename: 'Invitation', id: string, sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> }
      | { __typename: 'InvitationBlock', id: string }
      | { __typename: 'Member', id: string, isOwner: boolean, version: number, viewerCanSetRoles: boolean, viewerCanDeactivate: boolean, viewerCanRemove: boolean, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string | null, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> }
      | { __typename: 'OwnershipTransfer', id: string }
      | { __typename: 'Role', id: string }
      | { __typename: 'Session', id: string }
      | { __typename: 'Team', id: string }
      | { __typename: 'User', id: string }
     | null } };

export type InviteStatusChangedSubscriptionVariables = Exact<{
  teamId: string;
  after?: string | null | undefined;
}>;


export type InviteStatusChangedSubscription = { inviteStatusChanged: { cursor: string, type: InviteEventType, at: string, previousStatus: InvitationStatus | null, invitation: { __typename: 'Invitation', status: InvitationStatus, sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> } | null } };

export type ViewerAccessChangedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type ViewerAccessChangedSubscription = { viewerAccessChanged: { type: ViewerAccessEventType, at: string, teamId: string | null, permissions: Array<string> } };

export type PeoplePageQueryVariables = Exact<{
  teamId?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
  filter?: PersonFilter | null | undefined;
  orderBy?: PersonOrder | null | undefined;
}>;


export type PeoplePageQuery = { team: { id: string, name: string, eventCursor: string | null, viewerCanInvite: boolean, assignableRoles: Array<{ id: string, key: string, name: string }>, people: { totalCount: number, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null }, nodes: Array<
        | { __typename: 'Invitation', sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> }
        | { __typename: 'Member', isOwner: boolean, version: number, viewerCanSetRoles: boolean, viewerCanDeactivate: boolean, viewerCanRemove: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string | null, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> }
      > } | null } | null };

type PersonRow_Invitation_Fragment = { __typename: 'Invitation', sendCount: number, lastSentAt: string | null, viewerCanResend: boolean, viewerCanRevoke: boolean, viewerCanUpdate: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string, delivery: { status: DeliveryStatus, error: string | null }, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> };

type PersonRow_Member_Fragment = { __typename: 'Member', isOwner: boolean, version: number, viewerCanSetRoles: boolean, viewerCanDeactivate: boolean, viewerCanRemove: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string | null, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> };

export type PersonRowFragment =
  | PersonRow_Invitation_Fragment
  | PersonRow_Member_Fragment
;

export type SetRolesMutationVariables = Exact<{
  input: SetRolesInput;
}>;


export type SetRolesMutation = { setRoles: { member: { __typename: 'Member', isOwner: boolean, version: number, viewerCanSetRoles: boolean, viewerCanDeactivate: boolean, viewerCanRemove: boolean, id: string, email: string, displayName: string, personStatus: PersonStatus, addedAt: string, lastSeenAt: string | null, expiresAt: string | null, roles: Array<{ id: string, key: string, name: string }>, groups: Array<{ id: string, name: string }> } | null, userErrors: Array<{ code: UserErrorCode, field: Array<string>, message: string }> } | null };

export type WrongInputFragment = { code: UserErrorCode, field: Array<string>, message: string };

export type ReceivedInvitationsQueryVariables = Exact<{
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type ReceivedInvitationsQuery = { viewer: { receivedInvitationsCursor: string, receivedInvitations: { totalCount: number, pageInfo: { hasNextPage: boolean, endCursor: string | null }, nodes: Array<{ id: string, status: InvitationStatus, note: string, expiresAt: string, team: { id: string, name: string }, roles: Array<{ id: string, name: string }> }> } } | null };

export type ReceivedInvitationFragment = { id: string, status: InvitationStatus, note: string, expiresAt: string, team: { id: string, name: string }, roles: Array<{ id: string, name: string }> };

export type ReceivedInvitationsChangedSubscriptionVariables = Exact<{
  after?: string | null | undefined;
}>;


export type ReceivedInvitationsChangedSubscription = { receivedInvitationsChanged: { cursor: string, type: InviteEventType, at: string, invitationId: string, previousStatus: InvitationStatus | null, invitation: { id: string, status: InvitationStatus, note: string, expiresAt: string, team: { id: string, name: string }, roles: Array<{ id: string, name: string }> } | null } };

export type InvitationByTokenQueryVariables = Exact<{
  token: string;
}>;


export type InvitationByTokenQuery = { invitationByToken: { teamName: string, accountName: string, inviterName: string, maskedEmail: string, roleNames: Array<string>, status: InvitationStatus, expiresAt: string, nextStep: InvitationNextStep } | null };

export type AcceptInviteMutationVariables = Exact<{
  input: AcceptInviteInput;
}>;


export type AcceptInviteMutation = { acceptInvite: { alreadyAccepted: boolean, sessionToken: string | null, member: { id: string, team: { id: string, name: string } } | null, userErrors: Array<{ code: UserErrorCode, field: Array<string>, message: string }> } | null };

export type DeclineInviteMutationVariables = Exact<{
  input: DeclineInviteInput;
}>;


export type DeclineInviteMutation = { declineInvite: { invitation: { id: string, status: InvitationStatus } | null, userErrors: Array<{ code: UserErrorCode, field: Array<string>, message: string }> } | null };

export const PersonRowFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}}]} as unknown as DocumentNode<PersonRowFragment, unknown>;
export const WrongInputFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<WrongInputFragment, unknown>;
export const ReceivedInvitationFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ReceivedInvitation"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"note"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"team"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ReceivedInvitationFragment, unknown>;
export const InviteUserDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"InviteUser"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"InviteUserInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"inviteUser"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"invitation"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}},{"kind":"Field","name":{"kind":"Name","value":"inviteUrl"}},{"kind":"Field","name":{"kind":"Name","value":"userErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"WrongInput"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<InviteUserMutation, InviteUserMutationVariables>;
export const ResendInviteDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ResendInvite"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ResendInviteInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"resendInvite"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"invitation"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}},{"kind":"Field","name":{"kind":"Name","value":"inviteUrl"}},{"kind":"Field","name":{"kind":"Name","value":"userErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"WrongInput"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<ResendInviteMutation, ResendInviteMutationVariables>;
export const RevokeInviteDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RevokeInvite"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"RevokeInviteInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"revokeInvite"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"invitation"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}},{"kind":"Field","name":{"kind":"Name","value":"userErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"WrongInput"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<RevokeInviteMutation, RevokeInviteMutationVariables>;
export const TeamChangedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"TeamChanged"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"teamId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"EventCursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"teamChanged"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"teamId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"teamId"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"at"}},{"kind":"Field","name":{"kind":"Name","value":"nodeId"}},{"kind":"Field","name":{"kind":"Name","value":"reload"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}}]} as unknown as DocumentNode<TeamChangedSubscription, TeamChangedSubscriptionVariables>;
export const InviteStatusChangedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"InviteStatusChanged"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"teamId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"EventCursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"inviteStatusChanged"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"teamId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"teamId"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"at"}},{"kind":"Field","name":{"kind":"Name","value":"previousStatus"}},{"kind":"Field","name":{"kind":"Name","value":"invitation"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}}]} as unknown as DocumentNode<InviteStatusChangedSubscription, InviteStatusChangedSubscriptionVariables>;
export const ViewerAccessChangedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"ViewerAccessChanged"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"viewerAccessChanged"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"at"}},{"kind":"Field","name":{"kind":"Name","value":"teamId"}},{"kind":"Field","name":{"kind":"Name","value":"permissions"}}]}}]}}]} as unknown as DocumentNode<ViewerAccessChangedSubscription, ViewerAccessChangedSubscriptionVariables>;
export const PeoplePageDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"PeoplePage"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"teamId"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"last"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"before"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"PersonFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"orderBy"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"PersonOrder"}},"defaultValue":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"field"},"value":{"kind":"EnumValue","value":"ADDED_AT"}},{"kind":"ObjectField","name":{"kind":"Name","value":"direction"},"value":{"kind":"EnumValue","value":"DESC"}}]}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"team"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"teamId"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"eventCursor"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanInvite"}},{"kind":"Field","name":{"kind":"Name","value":"assignableRoles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"people"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"last"},"value":{"kind":"Variable","name":{"kind":"Name","value":"last"}}},{"kind":"Argument","name":{"kind":"Name","value":"before"},"value":{"kind":"Variable","name":{"kind":"Name","value":"before"}}},{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"orderBy"},"value":{"kind":"Variable","name":{"kind":"Name","value":"orderBy"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"startCursor"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}},{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}}]} as unknown as DocumentNode<PeoplePageQuery, PeoplePageQueryVariables>;
export const SetRolesDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"SetRoles"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"SetRolesInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"setRoles"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"member"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"PersonRow"}}]}},{"kind":"Field","name":{"kind":"Name","value":"userErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"WrongInput"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"PersonRow"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Person"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"email"}},{"kind":"Field","name":{"kind":"Name","value":"displayName"}},{"kind":"Field","name":{"kind":"Name","value":"personStatus"}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"key"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"groups"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"addedAt"}},{"kind":"Field","name":{"kind":"Name","value":"lastSeenAt"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Member"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"isOwner"}},{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanSetRoles"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanDeactivate"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRemove"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sendCount"}},{"kind":"Field","name":{"kind":"Name","value":"lastSentAt"}},{"kind":"Field","name":{"kind":"Name","value":"delivery"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanResend"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanRevoke"}},{"kind":"Field","name":{"kind":"Name","value":"viewerCanUpdate"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<SetRolesMutation, SetRolesMutationVariables>;
export const ReceivedInvitationsDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"ReceivedInvitations"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receivedInvitationsCursor"}},{"kind":"Field","name":{"kind":"Name","value":"receivedInvitations"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"totalCount"}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}},{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ReceivedInvitation"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ReceivedInvitation"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"note"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"team"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ReceivedInvitationsQuery, ReceivedInvitationsQueryVariables>;
export const ReceivedInvitationsChangedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"ReceivedInvitationsChanged"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"EventCursor"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"receivedInvitationsChanged"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"type"}},{"kind":"Field","name":{"kind":"Name","value":"at"}},{"kind":"Field","name":{"kind":"Name","value":"invitationId"}},{"kind":"Field","name":{"kind":"Name","value":"previousStatus"}},{"kind":"Field","name":{"kind":"Name","value":"invitation"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"ReceivedInvitation"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"ReceivedInvitation"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Invitation"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"note"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"team"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}},{"kind":"Field","name":{"kind":"Name","value":"roles"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<ReceivedInvitationsChangedSubscription, ReceivedInvitationsChangedSubscriptionVariables>;
export const InvitationByTokenDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"InvitationByToken"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"token"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"invitationByToken"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"token"},"value":{"kind":"Variable","name":{"kind":"Name","value":"token"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"teamName"}},{"kind":"Field","name":{"kind":"Name","value":"accountName"}},{"kind":"Field","name":{"kind":"Name","value":"inviterName"}},{"kind":"Field","name":{"kind":"Name","value":"maskedEmail"}},{"kind":"Field","name":{"kind":"Name","value":"roleNames"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}},{"kind":"Field","name":{"kind":"Name","value":"nextStep"}}]}}]}}]} as unknown as DocumentNode<InvitationByTokenQuery, InvitationByTokenQueryVariables>;
export const AcceptInviteDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"AcceptInvite"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"AcceptInviteInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"acceptInvite"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"member"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"team"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"alreadyAccepted"}},{"kind":"Field","name":{"kind":"Name","value":"sessionToken"}},{"kind":"Field","name":{"kind":"Name","value":"userErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"WrongInput"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<AcceptInviteMutation, AcceptInviteMutationVariables>;
export const DeclineInviteDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DeclineInvite"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DeclineInviteInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"declineInvite"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"invitation"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"status"}}]}},{"kind":"Field","name":{"kind":"Name","value":"userErrors"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"WrongInput"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"WrongInput"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"UserError"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"code"}},{"kind":"Field","name":{"kind":"Name","value":"field"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}}]} as unknown as DocumentNode<DeclineInviteMutation, DeclineInviteMutationVariables>;