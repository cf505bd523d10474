import { useMutation } from '@apollo/client/react';
import { useState, type FormEvent } from 'react';
import { put } from './cache';
import { InviteMutation } from './documents';

/** Invites an address. Its row is in the list before the server has answered: see `optimisticResponse`. */
export function Invite({ teamId, roles }: { teamId: string; roles: { id: string; name: string }[] }) {
  const [email, setEmail] = useState('');
  const [roleId, setRoleId] = useState(roles.at(-1)?.id ?? '');
  const [invite, { data, error }] = useMutation(InviteMutation);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const result = await invite({
      variables: { input: { teamId, email, grant: { chosen: { roleIds: [roleId] } } } },
      optimisticResponse: {
        inviteUser: {
          __typename: 'InviteUserPayload',
          userErrors: [],
          invitation: {
            __typename: 'Invitation',
            id: 'sending',
            displayName: email,
            email,
            personStatus: 'INVITED',
            roles: roles.filter((role) => role.id === roleId).map(({ id, name }) => ({ __typename: 'Role', id, name })),
            viewerCanResend: false,
            viewerCanRevoke: false,
          },
        },
      },
      update(cache, { data }) {
        if (data?.inviteUser?.invitation) {
          put(teamId, data.inviteUser.invitation, cache);
        }
      },
    });
    if (result.data?.inviteUser?.userErrors.length === 0) {
      setEmail('');
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)} noValidate>
      <input aria-label="Address" type="email" placeholder="ann@example.com" value={email} onChange={(event) => setEmail(event.target.value)} />
      <select aria-label="Role" value={roleId} onChange={(event) => setRoleId(event.target.value)}>
        {roles.map((role) => (
          <option key={role.id} value={role.id}>
            {role.name}
          </option>
        ))}
      </select>
      <button>Invite</button>
      {data?.inviteUser?.userErrors.map(({ field, message }) => (
        <p role="alert" key={message}>
          {field[0] === 'email' ? 'Address' : field[0] === 'grant' ? 'Role' : 'Invitation'}: {message}
        </p>
      ))}
      {error && <p role="alert">{error.message}</p>}
    </form>
  );
}
