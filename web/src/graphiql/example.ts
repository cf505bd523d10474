/** The text that GraphiQL shows when it is opened for the first time. */
export const query = `# Run one of these with Ctrl-Enter or the
# button at the right. The people are those of
# "convoke demo".

# 1. Sign in. The response sets a cookie, so you
#    send everything below as Olivia.
mutation SignIn {
  signIn(input: {
    email: "olivia@acme.test"
    password: "correct horse battery staple"
    transport: COOKIE
  }) {
    viewer { user { email } }
    userErrors { code field message }
  }
}

# 2. Who am I, and which roles may I grant? Copy
#    the ids of the team and of a role into the
#    variables below.
query Viewer {
  viewer {
    user { email firstName lastName }
    activeTeam {
      id
      name
      assignableRoles { id key name }
    }
  }
}

# 3. Watch the team's invitations. Leave this
#    running, and invite from another window.
subscription InviteStatusChanged($teamId: ID!) {
  inviteStatusChanged(teamId: $teamId) {
    type
    at
    previousStatus
    invitation { id email status }
  }
}

# 4. Invite somebody. The demo's mail is at /mailbox.
mutation InviteUser(
  $teamId: ID!
  $email: EmailAddress!
  $roleIds: [ID!]
) {
  inviteUser(input: {
    teamId: $teamId
    email: $email
    grant: { chosen: { roleIds: $roleIds } }
  }) {
    invitation { id email status expiresAt }
    userErrors { code field message }
  }
}
`;

/** Placeholders for the variables of the query above. */
export const variables = `{
  "teamId": "team_…",
  "email": "new.colleague@acme.test",
  "roleIds": ["role_…"]
}`;
