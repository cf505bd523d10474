import { useMutation, useQuery, useSubscription } from '@apollo/client/react';
import { useState } from 'react';
import { invitationChanged, memberChanged } from './cache';
import { InvitationChanges, MemberChanges, PeopleQuery, ResendMutation, RevokeMutation, SignOutMutation } from './documents';
import type { InvitationRowFragment, PeopleQuery as PeopleData } from './gql/graphql';
import { Invite } from './invite';
import { SignIn } from './sign-in';

type Team = NonNullable<NonNullable<PeopleData['viewer']>['activeTeam']>;

/** The people of the viewer's team, or the form to sign in. */
export function People() {
  const { data, error, fetchMore } = useQuery(PeopleQuery);
  const [signOut] = useMutation(SignOutMutation);
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
        <button onClick={() => void signOut().then(() => location.reload())}>Sign out</button>
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
        <button onClick={() => void fetchMore({ variables: { after: team.people?.pageInfo.endCursor } })}>More</button>
      )}
    </>
  );
}

/** Follows what changes after the list was read: see cache.ts. */
function Live({ team }: { team: Team }) {
  const [variables] = useState({ teamId: team.id, after: team.eventCursor });
  const invitations = useSubscription(InvitationChanges, {
    variables,
    onData: ({ data: { data } }) => data && invitationChanged(team.id, data.inviteStatusChanged),
  });
  const members = useSubscription(MemberChanges, {
    variables,
    onData: ({ data: { data } }) => data && memberChanged(team.id, data.membersChanged),
  });
  const error = invitations.error ?? members.error;
  return error ? <p role="alert">The list is not live any more: {error.message}</p> : null;
}

function Actions({ invitation }: { invitation: InvitationRowFragment }) {
  const [resend, resent] = useMutation(ResendMutation);
  const [revoke, revoked] = useMutation(RevokeMutation);
  const input = { invitationId: invitation.id };
  const problem = resent.data?.resendInvite?.userErrors[0] ?? revoked.data?.revokeInvite?.userErrors[0] ?? resent.error ?? revoked.error;
  return (
    <>
      {invitation.viewerCanResend && <button onClick={() => void resend({ variables: { input } })}>Resend</button>}{' '}
      {invitation.viewerCanRevoke && <button onClick={() => void revoke({ variables: { input } })}>Revoke</button>}
      {problem && <p role="alert">{problem.message}</p>}
    </>
  );
}
