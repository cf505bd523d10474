import { useMutation } from '@apollo/client/react';
import { useState, type FormEvent } from 'react';
import { SignInMutation } from './documents';

/** Begins a session in a cookie, and reloads the page, so that nothing of an earlier session is left. It is filled with the demo's owner. */
export function SignIn() {
  const [email, setEmail] = useState('olivia@acme.test');
  const [password, setPassword] = useState('correct horse battery staple');
  const [signIn, { data, error }] = useMutation(SignInMutation);
  const problem = data?.signIn?.userErrors[0] ?? error;

  async function submit(event: FormEvent) {
    event.preventDefault();
    const result = await signIn({ variables: { input: { email, password } } });
    if (result.data?.signIn?.userErrors.length === 0) {
      location.reload();
    }
  }

  return (
    <form onSubmit={(event) => void submit(event)}>
      <input aria-label="Address" type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.target.value)} />
      <input aria-label="Password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
      <button>Sign in</button>
      {problem && <p role="alert">{problem.message}</p>}
    </form>
  );
}
