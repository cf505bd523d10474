import { graphql, useFragment, useLazyLoadQuery, useMutation, usePaginationFragment } from 'react-relay';
import { Invite } from './invite';
import { useLiveList } from './live';
import { SignIn } from './sign-in';
import type { peopleQuery } from './__generated__/peopleQuery.graphql';
import type { people_list$key } from './__generated__/people_list.graphql';
import type { people_row$key } from './__generated__/people_row.graphql';
import type { peopleResendMutation } from './__generated__/peopleResendMutation.graphql';
import type { peopleRevokeMutation } from './__generated__/peopleRevokeMutation.graphql';
import type { peopleSignOutMutation } from './__generated__/peopleSignOutMutation.graphql';

/** The people of the viewer's team, or the form to sign in. */
export function People() {
  const { viewer } = useLazyLoadQuery<peopleQuery>(
    graphql`
      query peopleQuery {
        viewer {
          user { email }
          activeTeam {
            name
            ...people_list
          }
        }
      }
    `,
    {},
  );
  const [signOut] = useMutation<peopleSignOutMutation>(graphql`
    mutation peopleSignOutMutation {
      signOut { userErrors { message } }
    }
  `);
  if (!viewer?.activeTeam) {
    return <SignIn />;
  }
  return (
    <>
      <header>
        <h1>{viewer.activeTeam.name}</h1>
        {viewer.user?.email}
        <button onClick={() => signOut({ variables: {}, onCompleted: () => location.reload() })}>Sign out</button>
      </header>
      <List team={viewer.activeTeam} />
    </>
  );
}

/** The list. The cursor is of the same moment as its first page: what changes after it comes by the subscriptions in live.ts. */
function List({ team }: { team: people_list$key }) {
  const { data, hasNext, loadNext } = usePaginationFragment(
    graphql`
      fragment people_list on Team
      @argumentDefinitions(first: { type: "Int", defaultValue: 5 }, after: { type: "String" })
      @refetchable(queryName: "peopleListQuery") {
        id
        eventCursor
        viewerCanInvite
        assignableRoles { id name }
        people(first: $first, after: $after) @connection(key: "list_people") {
          __id
          edges {
            node {
              id
              ...people_row
            }
          }
        }
      }
    `,
    team,
  );
  const problem = useLiveList(data.id, data.eventCursor, data.people?.__id);
  return (
    <>
      {data.viewerCanInvite && data.people && <Invite teamId={data.id} roles={data.assignableRoles} connection={data.people.__id} />}
      {problem && <p role="alert">The list is not live any more: {problem}</p>}
      <table>
        <thead>
          <tr>
            <th>Person</th>
            <th>Roles</th>
            <th>Status</th>
            <th />
          </tr>
        </thead>
        <tbody>
          {data.people?.edges.map(({ node }) => <Row key={node.id} person={node} />)}
        </tbody>
      </table>
      {hasNext && <button onClick={() => loadNext(5)}>More</button>}
    </>
  );
}

function Row({ person }: { person: people_row$key }) {
  const { id, displayName, email, personStatus, roles, viewerCanResend, viewerCanRevoke } = useFragment(
    graphql`
      fragment people_row on Person {
        id
        displayName
        email
        personStatus
        roles { id name }
        ... on Invitation {
          viewerCanResend
          viewerCanRevoke
        }
      }
    `,
    person,
  );
  const [resend] = useMutation<peopleResendMutation>(graphql`
    mutation peopleResendMutation($input: ResendInviteInput!) {
      resendInvite(input: $input) {
        invitation { ...people_row }
        userErrors { message }
      }
    }
  `);
  const [revoke] = useMutation<peopleRevokeMutation>(graphql`
    mutation peopleRevokeMutation($input: RevokeInviteInput!) {
      revokeInvite(input: $input) {
        invitation { ...people_row }
        userErrors { message }
      }
    }
  `);
  const variables = { input: { invitationId: id } };
  return (
    <tr aria-busy={id === 'sending'}>
      <td title={email}>{displayName}</td>
      <td>{roles.map((role) => role.name).join(', ')}</td>
      <td>{personStatus}</td>
      <td>
        {viewerCanResend && <button onClick={() => resend({ variables, onCompleted: ({ resendInvite }) => report(resendInvite), onError: fail })}>Resend</button>}{' '}
        {viewerCanRevoke && <button onClick={() => revoke({ variables, onCompleted: ({ revokeInvite }) => report(revokeInvite), onError: fail })}>Revoke</button>}
      </td>
    </tr>
  );
}

function report(payload: { readonly userErrors: readonly { readonly message: string }[] } | null | undefined): void {
  payload?.userErrors.forEach(fail);
}

function fail({ message }: { message: string }): void {
  alert(message);
}
