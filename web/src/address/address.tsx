import { useEffect, useState } from 'react';
import { Action } from '../form';
import { forgetToken, takeToken } from '../fragment';
import { request, type UserError } from '../graphql';
import { NewHeading, Page } from '../page';

const storageKey = 'convoke.address';

const confirmDocument = /* GraphQL */ `
  mutation ConfirmEmailChange($input: ConfirmEmailChangeInput!) {
    confirmEmailChange(input: $input) {
      changed
      userErrors { code field message }
    }
  }
`;

const cancelDocument = /* GraphQL */ `
  mutation CancelEmailChange($input: CancelEmailChangeInput!) {
    cancelEmailChange(input: $input) {
      canceled
      userErrors { code field message }
    }
  }
`;

interface ConfirmData {
  confirmEmailChange: { changed: boolean; userErrors: UserError[] };
}

interface CancelData {
  cancelEmailChange: { canceled: boolean; userErrors: UserError[] };
}

type Outcome = 'changed' | 'confirmed' | 'canceled' | 'ended';

/** Confirms or cancels a change of address by a click, because a mail scanner may open the link and must not use up its token. */
export function Address() {
  const [token, setToken] = useState(() => takeToken(storageKey));
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  useEffect(() => {
    const take = () => {
      setToken(takeToken(storageKey));
      setOutcome(null);
    };
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);

  const finish = (userErrors: UserError[], to: Outcome) => {
    if (userErrors.length === 0) {
      forgetToken(storageKey);
      setOutcome(to);
    } else if (userErrors.some((error) => error.code === 'INVALID_TOKEN')) {
      forgetToken(storageKey);
      setOutcome('ended');
    }
    return userErrors;
  };
  const confirm = async () => {
    const { confirmEmailChange } = await request<ConfirmData>(confirmDocument, { input: { token } });
    return finish(confirmEmailChange.userErrors, confirmEmailChange.changed ? 'changed' : 'confirmed');
  };
  const cancel = async () => {
    const { cancelEmailChange } = await request<CancelData>(cancelDocument, { input: { token } });
    return finish(cancelEmailChange.userErrors, 'canceled');
  };

  return (
    <Page>
      <section className="card">
        {outcome === 'changed' ? (
          <>
            <NewHeading>Your address has changed</NewHeading>
            <p>Sign in with the new address from now on. You stay signed in where you are.</p>
            <p>
              <a className="button" href="/">
                Continue
              </a>
            </p>
          </>
        ) : outcome === 'confirmed' ? (
          <>
            <NewHeading>One more confirmation</NewHeading>
            <p>Now open the link in the mail to the other address. Until then the address stays as it is.</p>
          </>
        ) : outcome === 'canceled' ? (
          <>
            <NewHeading>The change is canceled</NewHeading>
            <p>
              The address stays as it is. If you did not ask for the change, <a href="/reset">set a new password</a>.
            </p>
          </>
        ) : outcome === 'ended' ? (
          <>
            <NewHeading>This link does not work any more</NewHeading>
            <p>It was used, has expired, or belongs to a change that was replaced or canceled.</p>
            <p>
              <a href="/">Sign in</a> to see your address. If it has not changed, ask for the change again.
            </p>
          </>
        ) : token ? (
          <>
            <h1>Change your address</h1>
            <p>The address of your user changes when the old address and the new one have both confirmed it.</p>
            <Action action={confirm}>Confirm the change</Action>
            <Action className="danger" action={cancel}>
              Cancel the change
            </Action>
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
