import { useState } from 'react';
import { useMutation, useQuery, useSubscription } from 'urql';
import { InvitationChanges, MemberChanges, PeopleQuery, ResendMutation, RevokeMutation, SignOutMutation } from './documents';
import type { InvitationRowFragment, PeopleQuery as PeopleData } from './gql/graphql';
import { Invite } from './invite';
import { SignIn } from './sign-in';

type Team = NonNullable<NonNullable<PeopleData['viewer']>['activeTeam']>;

/** The people of the viewer's team, or the form to sign in. */
export function People() {
  const [after, setAfter] = useState<string>();
  const [{ data, error, fetching }] = useQuery({ query: PeopleQuery, variables: { after } });
  const [, signOut] = useMutation(SignOutMutation);
  if (error) {
    return <p role="alert">{error.message}</p>;
  }
  if (!data) {
    return <p>One moment…</p>;
  }
  if (!data.viewer?.activeTeam) {
    return <SignIn />;
  }
  const team = data.viewer.activeTeam;
  return (
    <>
      <header>
        <h1>{team.name}</h1>
        {data.viewer.user?.email}
        <button onClick={() => void signOut({}).then(() => location.reload())}>Sign out</button>
      </header>
      {team.viewerCanInvite && <Invite teamId={team.id} roles={team.assignableRoles} />}
      <Live team={team} />
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
          {team.people?.nodes.map((person) => (
            <tr key={person.id} aria-busy={person.id === 'sending'}>
              <td title={person.email}>{person.displayName}</td>
              <td>{person.roles.map((role) => role.name).join(', ')}</td>
              <td>{person.personStatus}</td>
              <td>{person.__typename === 'Invitation' && <Actions invitation={person} />}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {team.people?.pageInfo.hasNextPage && (
        <button disabled={fetching} onClick={() => setAfter(team.people?.pageInfo.endCursor ?? undefined)}>
          More
        </button>
      )}
    </>
  );
}

/** Follows what changes after the list was read. The cache does the rest: see cache.ts. */
function Live({ team }: { team: Team }) {
  const [variables] = useState({ teamId: team.id, after: team.eventCursor });
  const [{ error: invitations }] = useSubscription({ query: InvitationChanges, variables });
  const [{ error: members }] = useSubscription({ query: MemberChanges, variables });
  const error = invitations ?? members;
  return error ? <p role="alert">The list is not live any more: {error.message}</p> : null;
}

function Actions({ invitation }: { invitation: InvitationRowFragment }) {
  const [resent, resend] = useMutation(ResendMutation);
  const [revoked, revoke] = useMutation(RevokeMutation);
  const input = { invitationId: invitation.id };
  const problem = resent.data?.resendInvite?.userErrors[0] ?? revoked.data?.revokeInvite?.userErrors[0] ?? resent.error ?? revoked.error;
  return (
    <>
      {invitation.viewerCanResend && <button onClick={() => void resend({ input })}>Resend</button>}{' '}
      {invitation.viewerCanRevoke && <button onClick={() => void revoke({ input })}>Revoke</button>}
      {problem && <p role="alert">{problem.message}</p>}
    </>
  );
}
