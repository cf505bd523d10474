import { useState } from 'react';
import { Field, PasswordField, Problem, Submit, useForm } from './form';
import { request, type UserError } from './graphql';

const signInDocument = /* GraphQL */ `
  mutation SignIn($input: SignInInput!) {
    signIn(input: $input) {
      userErrors { code field message }
    }
  }
`;

const signOutDocument = /* GraphQL */ `
  mutation SignOut {
    signOut { __typename }
  }
`;

/** Ends the session of this browser. */
export async function signOut(): Promise<void> {
  await request(signOutDocument);
}

/** Asks for address and password, and begins a session held by a cookie. */
export function SignInForm({ onSignedIn }: { onSignedIn: () => Promise<void> }) {
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const form = useForm(['email', 'password'], async () => {
    const { signIn } = await request<{ signIn: { userErrors: UserError[] } }>(signInDocument, {
      input: { email, password, transport: 'COOKIE' },
    });
    if (signIn.userErrors.length === 0) {
      await onSignedIn();
    }
    return signIn.userErrors;
  });
  return (
    <form onSubmit={form.submit}>
      <Problem>{form.problem}</Problem>
      <Field form={form} name="email" label="E-mail address" type="email" autoComplete="username" required value={email} onValue={setEmail} />
      <PasswordField form={form} label="Password" autoComplete="current-password" value={password} onValue={setPassword} />
      <Submit form={form}>Sign in</Submit>
      <p className="hint">
        <a href="/reset">Forgot your password?</a>
      </p>
    </form>
  );
}
