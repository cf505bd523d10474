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

interface SignInFormProps {
  onSignedIn: () => Promise<void>;
  /** The URL for signing in by the operator's identity provider; null when there is none. */
  ssoUrl: string | null;
  /** Opens single sign-on in a new tab, so that this page stays open. */
  ssoInNewTab?: boolean;
}

/** Asks for address and password and begins a session in a cookie. It also links to the identity provider. */
export function SignInForm({ onSignedIn, ssoUrl, ssoInNewTab = false }: SignInFormProps) {
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
      {ssoUrl && ssoInNewTab && <p className="hint">Single sign-on opens in a new tab. Come back to this page afterwards.</p>}
      {ssoUrl && (
        <p>
          <a className="button secondary" href={ssoUrl} target={ssoInNewTab ? '_blank' : undefined}>
            Sign in with single sign-on
          </a>
        </p>
      )}
    </form>
  );
}

/** The sentences for the words by which the server says why signing in by the identity provider failed: see server/sso.go. */
const ssoFailures: Record<string, string> = {
  busy: 'Too many attempts. Please wait a little and try again.',
  deactivated: 'Your access is deactivated; ask an admin of your team.',
  denied: 'Your identity provider did not sign you in. Try again, or sign in with your password.',
  expired: 'This sign-in took too long, or was started in another tab. Please try again.',
  invalid: 'The response of your identity provider was not valid. Try again; if that does not help, tell the operator of this server.',
  revoked: 'Your access has been revoked; ask an admin of your team.',
  unavailable: 'Your identity provider cannot be reached at the moment. Try again later, or sign in with your password.',
  unknown: 'Nobody has joined with your address yet. Open the link in your invitation first.',
  unverified: 'Your identity provider or this server has not verified your address. Sign in with your password.',
};

/** Removes the word for a failed sign-in by the identity provider from the page's URL. Returns its sentence, or an empty text. */
export function takeSsoFailure(): string {
  const word = new URLSearchParams(location.search).get('sso');
  if (word === null) {
    return '';
  }
  history.replaceState(null, '', location.pathname);
  return Object.hasOwn(ssoFailures, word) ? ssoFailures[word]! : 'Signing in with single sign-on failed. Please try again.';
}
