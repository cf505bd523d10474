import { request, type UserError } from '../graphql';

/** The invitation of a link, the person who is signed in, and the server's rules for a new user. */
export interface Opened {
  invitationByToken: Preview | null;
  viewer: null | { user: null | { email: string } };
  serverInfo: { passwordMinLength: number; ssoUrl: string | null };
}

/** The parts of an invitation that the holder of its link may see. */
export interface Preview {
  teamName: string;
  accountName: string;
  inviterName: string;
  maskedEmail: string;
  roleNames: string[];
  status: 'PENDING' | 'ACCEPTED' | 'DECLINED' | 'REVOKED' | 'EXPIRED';
  expiresAt: string;
  accountBlocked: boolean;
  nextStep: 'ACCEPT' | 'SIGN_IN' | 'SIGN_UP' | 'SIGN_IN_OR_SIGN_UP' | 'SWITCH_ACCOUNT' | 'NONE';
}

/** The name and password of a newcomer who accepts. */
export interface NewUser {
  firstName: string;
  lastName: string;
  password: string;
}

/** The result of accepting. */
export interface Accepted {
  alreadyAccepted: boolean;
  viewer: null | { user: null | { email: string } };
  userErrors: UserError[];
}

const openDocument = /* GraphQL */ `
  query InvitationByToken($token: String!) {
    invitationByToken(token: $token) {
      teamName accountName inviterName maskedEmail roleNames status expiresAt nextStep accountBlocked
    }
    viewer { user { email } }
    serverInfo { passwordMinLength ssoUrl }
  }
`;

const acceptDocument = /* GraphQL */ `
  mutation AcceptInvite($input: AcceptInviteInput!) {
    acceptInvite(input: $input) {
      member { id }
      alreadyAccepted
      viewer { user { email } }
      userErrors { code field message }
    }
  }
`;

const declineDocument = /* GraphQL */ `
  mutation DeclineInvite($input: DeclineInviteInput!) {
    declineInvite(input: $input) {
      userErrors { code field message }
    }
  }
`;

const blockDocument = /* GraphQL */ `
  mutation BlockInvitations($input: BlockInvitationsInput!) {
    blockInvitations(input: $input) {
      userErrors { code field message }
    }
  }
`;

const unblockDocument = /* GraphQL */ `
  mutation UnblockInvitations($input: UnblockInvitationsInput!) {
    unblockInvitations(input: $input) {
      userErrors { code field message }
    }
  }
`;

const signUpDocument = /* GraphQL */ `
  mutation SignUp($input: SignUpInput!) {
    signUp(input: $input) {
      verificationSent
      userErrors { code field message }
    }
  }
`;

/** Reads an invitation. It changes nothing, however often it is called. */
export function open(token: string): Promise<Opened> {
  return request<Opened>(openDocument, { token });
}

/** Accepts an invitation, as the viewer or as a newcomer. */
export async function accept(token: string, newUser?: NewUser): Promise<Accepted> {
  const input = { invitation: { token }, transport: 'COOKIE', ...(newUser && filledIn(newUser)) };
  return (await request<{ acceptInvite: Accepted }>(acceptDocument, { input })).acceptInvite;
}

/** Declines an invitation. */
export async function decline(token: string): Promise<UserError[]> {
  const { declineInvite } = await request<{ declineInvite: { userErrors: UserError[] } }>(declineDocument, { input: { invitation: { token } } });
  return declineInvite.userErrors;
}

/** Refuses all further invitations from the account of an invitation. */
export async function block(token: string): Promise<UserError[]> {
  const { blockInvitations } = await request<{ blockInvitations: { userErrors: UserError[] } }>(blockDocument, { input: { invitation: { token } } });
  return blockInvitations.userErrors;
}

/** Allows the account of an invitation to invite the address again. */
export async function unblock(token: string): Promise<UserError[]> {
  const { unblockInvitations } = await request<{ unblockInvitations: { userErrors: UserError[] } }>(unblockDocument, { input: { token } });
  return unblockInvitations.userErrors;
}

/** Signs up a new user. They have to confirm their address by mail before they can accept. */
export async function signUp(email: string, newUser: NewUser): Promise<UserError[]> {
  const { signUp: payload } = await request<{ signUp: { userErrors: UserError[] } }>(signUpDocument, { input: { email, ...filledIn(newUser) } });
  return payload.userErrors;
}

/** An empty name is not sent, because the server decides whether it may be missing, and the invitation may contain it. */
function filledIn({ firstName, lastName, password }: NewUser) {
  return { firstName: firstName.trim() || undefined, lastName: lastName.trim() || undefined, password };
}
