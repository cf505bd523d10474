import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import { InviteMutation } from './documents';

/** Invites an address. Its row is in the list before the server has answered: see `optimistic` in cache.ts. */
export function Invite({ teamId, roles }: { teamId: string; roles: { id: string; name: string }[] }) {
  const [email, setEmail] = useState('');
  const [roleId, setRoleId] = useState(roles.at(-1)?.id ?? '');
  const [{ data, error }, invite] = useMutation(InviteMutation);

  async function submit(event: FormEvent) {
    event.preventDefault();
    const result = await invite({ input: { teamId, email, grant: { chosen: { roleIds: [roleId] } } } });
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
