/** An operation with its variables, as JSON. */
interface Tab {
  query: string;
  variables: string;
}

/** The person who is signed in, and what their tabs are filled with. */
export interface Viewer {
  user: { email: string };
  activeTeam: null | {
    id: string;
    name: string;
    eventCursor: string;
    assignableRoles: { id: string; key: string }[];
  };
}

export const viewerDocument = /* GraphQL */ `
  query GraphiQLViewer {
    viewer {
      user { email }
      activeTeam { id name eventCursor assignableRoles { id key } }
    }
  }
`;

const people = `# The team's members, and the
# addresses that are invited.
# Ctrl-Enter runs it.
query People(
  $teamId: ID!
  $first: Int
  $after: String
) {
  team(id: $teamId) {
    name
    people(first: $first, after: $after) {
      totalCount
      nodes {
        __typename
        id
        displayName
        email
        personStatus
        roles { name }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
}
`;

const invite = `# Invites the address. The demo's
# mail with the link is at
# /mailbox.
mutation Invite($input: InviteUserInput!) {
  inviteUser(input: $input) {
    invitation {
      id
      email
      status
      expiresAt
    }
    userErrors { code field message }
  }
}
`;

const liveStatus = `# Sends each change of an
# invitation. Leave it running, and
# invite somebody in another window.
subscription LiveStatus(
  $teamId: ID!
  $after: EventCursor
) {
  inviteStatusChanged(
    teamId: $teamId
    after: $after
  ) {
    cursor
    type
    at
    previousStatus
    invitation {
      id
      email
      status
      delivery { status }
    }
  }
}
`;

const roles = `# The roles that you may grant, and
# the number of people.
query Roles($teamId: ID!) {
  team(id: $teamId) {
    viewerCanInvite
    assignableRoles {
      id
      key
      name
      permissions
    }
    counts { active invited }
  }
}
`;

const signIn = `# Nobody is signed in. Ctrl-Enter
# runs this: the response sets a
# cookie, and tabs open that have
# your team's ids.
#
# Below is the owner of the demo. It
# printed its other people when it
# started; they have the same
# password.
mutation SignIn($input: SignInInput!) {
  signIn(input: $input) {
    viewer { user { email } }
    userErrors { code field message }
  }
}
`;

const server = `# This needs no session.
query Server {
  serverInfo { version signUp rolePresets }
  permissions {
    key
    name
    permissions { key name }
  }
}
`;

/** The operations that GraphiQL opens with. Each works as it is: its variables are the ids of the viewer's team and of a role. */
export function tabsOf(viewer: Viewer | null): Tab[] {
  if (!viewer?.activeTeam) {
    return [
      tab(signIn, { input: { email: 'olivia@acme.test', password: 'correct horse battery staple', transport: 'COOKIE' } }),
      tab(server, {}),
    ];
  }
  const { id: teamId, eventCursor: after, assignableRoles } = viewer.activeTeam;
  return [
    tab(people, { teamId, first: 10, after: null }),
    tab(invite, { input: { teamId, email: 'new.colleague@acme.test', grant: { chosen: { roleIds: [leastOf(assignableRoles)] } } } }),
    tab(liveStatus, { teamId, after }),
    tab(roles, { teamId }),
  ];
}

function tab(query: string, variables: Record<string, unknown>): Tab {
  return { query, variables: JSON.stringify(variables, null, 2) };
}

/** The role that an example should grant: the last one, because a preset lists the admin's role first. */
function leastOf(roles: { id: string }[]): string | undefined {
  return roles.at(-1)?.id;
}
