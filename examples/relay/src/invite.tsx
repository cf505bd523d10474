import { useState, type FormEvent } from 'react';
import { graphql, useMutation } from 'react-relay';
import type { inviteMutation } from './__generated__/inviteMutation.graphql';

interface InviteProps {
  teamId: string;
  roles: readonly { readonly id: string; readonly name: string }[];
  connection: string;
}

/** Invites an address. Its row is in the list before the server has answered. */
export function Invite({ teamId, roles, connection }: InviteProps) {
  const [email, setEmail] = useState('');
  const [roleId, setRoleId] = useState(roles.at(-1)?.id ?? '');
  const [errors, setErrors] = useState<readonly { readonly field: readonly string[]; readonly message: string }[]>([]);
  const [invite] = useMutation<inviteMutation>(graphql`
    mutation inviteMutation($input: InviteUserInput!, $connections: [ID!]!) {
      inviteUser(input: $input) {
        invitation @prependNode(connections: $connections, edgeTypeName: "PersonEdge") { id ...people_row }
        userErrors { field message }
      }
    }
  `);

  function submit(event: FormEvent) {
    event.preventDefault();
    invite({
      variables: { input: { teamId, email, grant: { chosen: { roleIds: [roleId] } } }, connections: [connection] },
      optimisticResponse: {
        inviteUser: {
          userErrors: [],
          invitation: {
            __typename: 'Invitation',
            __isPerson: 'Invitation',
            id: 'sending',
            displayName: email,
            email,
            personStatus: 'INVITED',
            roles: roles.filter((role) => role.id === roleId),
            viewerCanResend: false,
            viewerCanRevoke: false,
          },
        },
      },
      onCompleted({ inviteUser }) {
        setErrors(inviteUser?.userErrors ?? []);
        if (inviteUser?.userErrors.length === 0) {
          setEmail('');
        }
      },
      onError: ({ message }) => setErrors([{ field: [], message }]),
    });
  }

  return (
    <form onSubmit={submit} noValidate>
      <input aria-label="Address" type="email" placeholder="ann@example.com" value={email} onChange={(event) => setEmail(event.target.value)} />
      <select aria-label="Role" value={roleId} onChange={(event) => setRoleId(event.target.value)}>
        {roles.map((role) => (
          <option key={role.id} value={role.id}>
            {role.name}
          </option>
        ))}
      </select>
      <button>Invite</button>
      {errors.map(({ field, message }) => (
        <p role="alert" key={message}>
          {field[0] === 'email' ? 'Address' : field[0] === 'grant' ? 'Role' : 'Invitation'}: {message}
        </p>
      ))}
    </form>
  );
}
