import { graphql } from './gql';

graphql(`
  fragment InvitationRow on Invitation {
    __typename
    id
    displayName
    email
    personStatus
    roles { id name }
    viewerCanResend
    viewerCanRevoke
  }
`);

graphql(`
  fragment MemberRow on Member {
    __typename
    id
    displayName
    email
    personStatus
    roles { id name }
  }
`);

/** A page of people. The cursor is of the same moment as the page: what changes after it comes by the subscriptions. */
export const PeopleQuery = graphql(`
  query People($after: String) {
    viewer {
      user { id email }
      activeTeam {
        id
        name
        eventCursor
        viewerCanInvite
        assignableRoles { id name }
        people(first: 5, after: $after) {
          nodes { ...InvitationRow ...MemberRow }
          pageInfo { hasNextPage endCursor }
        }
      }
    }
  }
`);

export const InvitationChanges = graphql(`
  subscription InvitationChanges($teamId: ID!, $after: EventCursor) {
    inviteStatusChanged(teamId: $teamId, after: $after) {
      cursor
      type
      invitation { ...InvitationRow }
      member { ...MemberRow }
    }
  }
`);

export const MemberChanges = graphql(`
  subscription MemberChanges($teamId: ID!, $after: EventCursor) {
    membersChanged(teamId: $teamId, after: $after) {
      cursor
      type
      memberId
      member { ...MemberRow }
    }
  }
`);

export const InviteMutation = graphql(`
  mutation Invite($input: InviteUserInput!) {
    inviteUser(input: $input) {
      invitation { ...InvitationRow }
      userErrors { field message }
    }
  }
`);

export const ResendMutation = graphql(`
  mutation Resend($input: ResendInviteInput!) {
    resendInvite(input: $input) {
      invitation { ...InvitationRow }
      userErrors { field message }
    }
  }
`);

export const RevokeMutation = graphql(`
  mutation Revoke($input: RevokeInviteInput!) {
    revokeInvite(input: $input) {
      invitation { ...InvitationRow }
      userErrors { field message }
    }
  }
`);

export const SignInMutation = graphql(`
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      userErrors { field message }
    }
  }
`);

export const SignOutMutation = graphql(`
  mutation SignOut {
    signOut { userErrors { message } }
  }
`);
