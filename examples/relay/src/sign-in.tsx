import { useState, type FormEvent } from 'react';
import { graphql, useMutation } from 'react-relay';
import type { signInMutation } from './__generated__/signInMutation.graphql';

/** Begins a session in a cookie, and reloads the page, so that nothing of an earlier session is left. It is filled with the demo's owner. */
export function SignIn() {
  const [email, setEmail] = useState('olivia@acme.test');
  const [password, setPassword] = useState('correct horse battery staple');
  const [problem, setProblem] = useState<string>();
  const [signIn] = useMutation<signInMutation>(graphql`
    mutation signInMutation($input: SignInInput!) {
      signIn(input: $input) {
        userErrors { message }
      }
    }
  `);

  function submit(event: FormEvent) {
    event.preventDefault();
    signIn({
      variables: { input: { email, password } },
      onCompleted: ({ signIn }) => (signIn?.userErrors[0] ? setProblem(signIn.userErrors[0].message) : location.reload()),
      onError: ({ message }) => setProblem(message),
    });
  }

  return (
    <form onSubmit={submit}>
      <input aria-label="Address" type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.target.value)} />
      <input aria-label="Password" type="password" autoComplete="current-password" value={password} onChange={(event) => setPassword(event.target.value)} />
      <button>Sign in</button>
      {problem && <p role="alert">{problem}</p>}
    </form>
  );
}
