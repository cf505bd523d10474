import { useEffect, useState } from 'react';
import { Field, PasswordField, Problem, Submit, useForm } from '../form';
import { forgetToken, takeToken } from '../fragment';
import { request, type UserError } from '../graphql';
import { NewHeading, Page } from '../page';

const storageKey = 'convoke.reset';

const policyDocument = /* GraphQL */ `
  query PasswordPolicy {
    serverInfo { passwordMinLength }
  }
`;

const requestDocument = /* GraphQL */ `
  mutation RequestPasswordReset($input: RequestPasswordResetInput!) {
    requestPasswordReset(input: $input) {
      resetSent
      userErrors { code field message }
    }
  }
`;

const resetDocument = /* GraphQL */ `
  mutation ResetPassword($input: ResetPasswordInput!) {
    resetPassword(input: $input) {
      viewer { user { email } }
      userErrors { code field message }
    }
  }
`;

interface PolicyData {
  serverInfo: { passwordMinLength: number };
}

interface RequestData {
  requestPasswordReset: { resetSent: boolean; userErrors: UserError[] };
}

interface ResetData {
  resetPassword: { viewer: null | { user: null | { email: string } }; userErrors: UserError[] };
}

/** Sets a new password with the link of a mail. Without a link, it asks for the address to mail one to. */
export function Reset() {
  const [token, setToken] = useState(() => takeToken(storageKey));
  useEffect(() => {
    const take = () => setToken(takeToken(storageKey));
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  const [again, setAgain] = useState(false);
  const forget = () => {
    forgetToken(storageKey);
    setToken(null);
    setAgain(true);
  };
  return (
    <Page>
      <section className="card">{token ? <NewPassword key={token} token={token} onForget={forget} /> : <AskForLink again={again} />}</section>
    </Page>
  );
}

function NewPassword({ token, onForget }: { token: string; onForget: () => void }) {
  const [password, setPassword] = useState('');
  const [minLength, setMinLength] = useState(0);
  const [done, setDone] = useState<{ email?: string } | null>(null);
  useEffect(() => {
    // Only for the hint: the server checks the password in any case.
    request<PolicyData>(policyDocument).then(
      ({ serverInfo }) => setMinLength(serverInfo.passwordMinLength),
      () => undefined,
    );
  }, []);
  const form = useForm(['newPassword'], async () => {
    const { resetPassword } = await request<ResetData>(resetDocument, { input: { token, newPassword: password, transport: 'COOKIE' } });
    if (resetPassword.userErrors.length === 0) {
      forgetToken(storageKey);
      setDone({ email: resetPassword.viewer?.user?.email });
    }
    return resetPassword.userErrors;
  });
  if (done) {
    return (
      <>
        <NewHeading>Your new password is set</NewHeading>
        <p>
          {done.email && (
            <>
              You are signed in as <strong>{done.email}</strong>.{' '}
            </>
          )}
          You have been signed out everywhere else. If you came here from an invitation, go back to its page and accept it.
        </p>
        <p>
          <a className="button" href="/">
            Continue
          </a>
        </p>
      </>
    );
  }
  return (
    <>
      <h1>Set a new password</h1>
      <p>Setting it signs you in here and signs you out everywhere else.</p>
      <form onSubmit={form.submit}>
        <Problem>{form.problem}</Problem>
        <PasswordField
          form={form}
          name="newPassword"
          label="New password"
          autoComplete="new-password"
          hint={minLength > 0 && `At least ${minLength} characters.`}
          value={password}
          onValue={setPassword}
        />
        <Submit form={form}>Set the password</Submit>
      </form>
      <button type="button" className="link" onClick={onForget}>
        Ask for another link
      </button>
    </>
  );
}

function AskForLink({ again }: { again: boolean }) {
  const [email, setEmail] = useState('');
  const [asked, setAsked] = useState<{ email: string; sent: boolean } | null>(null);
  const form = useForm(['email'], async () => {
    const { requestPasswordReset } = await request<RequestData>(requestDocument, { input: { email } });
    if (requestPasswordReset.userErrors.length === 0) {
      setAsked({ email, sent: requestPasswordReset.resetSent });
    }
    return requestPasswordReset.userErrors;
  });
  if (asked) {
    return (
      <>
        <NewHeading>{asked.sent ? 'Check your mail' : 'This server sends no mail'}</NewHeading>
        <p>
          {asked.sent ? (
            <>
              If there is a user with the address <strong>{asked.email}</strong>, we send a mail with a link to it. The link is valid for an hour and
              works once.
            </>
          ) : (
            'Without mail it cannot send you a link. Ask the operator of this server.'
          )}
        </p>
      </>
    );
  }
  return (
    <>
      {again ? <NewHeading>Ask for another link</NewHeading> : <h1>Forgot your password?</h1>}
      <p>Tell us your address, and we mail you a link that sets a new password.</p>
      <form onSubmit={form.submit}>
        <Problem>{form.problem}</Problem>
        <Field form={form} name="email" label="E-mail address" type="email" autoComplete="username" required value={email} onValue={setEmail} />
        <Submit form={form}>Mail me a link</Submit>
      </form>
    </>
  );
}
