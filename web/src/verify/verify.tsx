import { useEffect, useState } from 'react';
import { Action } from '../form';
import { forgetToken, takeToken } from '../fragment';
import { request, type UserError } from '../graphql';
import { NewHeading, Page } from '../page';

const storageKey = 'convoke.verification';

const verifyDocument = /* GraphQL */ `
  mutation VerifyEmail($input: VerifyEmailInput!) {
    verifyEmail(input: $input) {
      viewer { user { email } }
      userErrors { code field message }
    }
  }
`;

interface VerifyData {
  verifyEmail: { viewer: null | { user: null | { email: string } }; userErrors: UserError[] };
}

/** Confirms an e-mail address by a click, because a mail scanner may open the link and must not use up its token. */
export function Verify() {
  const [token, setToken] = useState(() => takeToken(storageKey));
  const [verified, setVerified] = useState<{ email?: string } | null>(null);
  useEffect(() => {
    const take = () => {
      setToken(takeToken(storageKey));
      setVerified(null);
    };
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);

  const verify = async () => {
    const { verifyEmail } = await request<VerifyData>(verifyDocument, { input: { token, transport: 'COOKIE' } });
    if (verifyEmail.userErrors.length === 0) {
      forgetToken(storageKey);
      setVerified({ email: verifyEmail.viewer?.user?.email });
    }
    return verifyEmail.userErrors;
  };

  return (
    <Page>
      <section className="card">
        {verified ? (
          <>
            <NewHeading>Your address is confirmed</NewHeading>
            <p>
              {verified.email ? (
                <>
                  You are signed in as <strong>{verified.email}</strong>.
                </>
              ) : (
                'You can sign in now.'
              )}{' '}
              If you came here from an invitation, go back to its page and accept it.
            </p>
            <p>
              <a className="button" href="/">
                Continue
              </a>
            </p>
          </>
        ) : token ? (
          <>
            <h1>Confirm your address</h1>
            <p>One click proves that you can read mail at this address, and signs you in.</p>
            <Action action={verify}>Confirm my address</Action>
          </>
        ) : (
          <>
            <h1>No link here</h1>
            <p>Please open this page with the link in your mail.</p>
          </>
        )}
      </section>
    </Page>
  );
}
