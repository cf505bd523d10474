import { useCallback, useEffect, useState } from 'react';
import { Action, Problem } from '../form';
import { forgetToken, takeToken } from '../fragment';
import { explain, type UserError } from '../graphql';
import { Loading, NewHeading, Page } from '../page';
import { Block } from './block';
import { accept, decline, open, type NewUser, type Opened, type Preview } from './invitation';
import { Decline, NextStep } from './steps';
import { Summary } from './summary';

const storageKey = 'convoke.invitation';

type Outcome = { kind: 'accepted'; again: boolean; teamName: string; email?: string } | { kind: 'declined'; teamName: string };

/** The page that an invitation's link opens. Opening it changes nothing; only a click on Accept or Decline does. */
export function Accept() {
  const [token, setToken] = useState(() => takeToken(storageKey));
  useEffect(() => {
    const take = () => setToken(takeToken(storageKey));
    addEventListener('hashchange', take);
    return () => removeEventListener('hashchange', take);
  }, []);
  return (
    <Page>
      <section className="card">
        {token ? (
          <Invitation key={token} token={token} />
        ) : (
          <>
            <h1>No invitation here</h1>
            <p>Please open this page with the link in your invitation.</p>
          </>
        )}
      </section>
    </Page>
  );
}

function Invitation({ token }: { token: string }) {
  const [opened, setOpened] = useState<Opened | null>(null);
  const [failure, setFailure] = useState('');
  const [notice, setNotice] = useState('');
  const [outcome, setOutcome] = useState<Outcome | null>(null);

  const load = useCallback(async () => {
    try {
      setOpened(await open(token));
      setFailure('');
    } catch (error) {
      setFailure(explain(error));
    }
  }, [token]);
  useEffect(() => void load(), [load]);

  // The person may sign in or confirm an address in another tab: load again when this tab becomes visible.
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible' && !outcome) {
        open(token).then(setOpened, () => undefined);
      }
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [token, outcome]);

  if (outcome) {
    return (
      <>
        <Done outcome={outcome} />
        {outcome.kind === 'declined' && opened?.invitationByToken && (
          <Block token={token} preview={opened.invitationByToken} declined />
        )}
      </>
    );
  }
  if (!opened) {
    return failure ? (
      <>
        <h1>Your invitation</h1>
        <Problem>{failure}</Problem>
        <Action action={async () => (await load(), [])}>Try again</Action>
      </>
    ) : (
      <Loading />
    );
  }
  const preview = opened.invitationByToken;
  if (!preview) {
    return (
      <>
        <h1>This link is not valid</h1>
        <p>This link is not valid, or not valid any more. Ask the person who invited you for a new one.</p>
      </>
    );
  }

  // An error that is not about the form's own fields means that the invitation has changed: load it again.
  const settle = async (errors: UserError[], fields: readonly string[]) => {
    const own = errors.filter((error) => fields.includes(error.field[0] ?? ''));
    const other = errors.filter((error) => !own.includes(error));
    setNotice(other.map((error) => error.message).join(' '));
    if (other.length > 0) {
      await load();
    }
    return own;
  };
  const onAccept = async (newUser?: NewUser) => {
    const payload = await accept(token, newUser);
    if (payload.userErrors.length > 0) {
      return settle(payload.userErrors, newUser ? Object.keys(newUser) : []);
    }
    forgetToken(storageKey);
    setOutcome({ kind: 'accepted', again: payload.alreadyAccepted, teamName: preview.teamName, email: payload.viewer?.user?.email });
    return [];
  };
  const onDecline = async () => {
    const errors = await decline(token);
    if (errors.length > 0) {
      return settle(errors, []);
    }
    forgetToken(storageKey);
    setOutcome({ kind: 'declined', teamName: preview.teamName });
    return [];
  };
  const reload = async () => {
    setNotice('');
    await load();
  };

  return (
    <>
      <Summary preview={preview} />
      <Problem>{notice || failure}</Problem>
      <NextStep
        preview={preview}
        viewerEmail={opened.viewer?.user?.email}
        passwordMinLength={opened.serverInfo.passwordMinLength}
        ssoUrl={opened.serverInfo.ssoUrl}
        onAccept={onAccept}
        reload={reload}
      />
      {mayDecline(preview.nextStep) && <Decline teamName={preview.teamName} onDecline={onDecline} />}
      {mayBlock(preview) && <Block token={token} preview={preview} declined={preview.status === 'DECLINED'} />}
    </>
  );
}

/** Whether the page offers to decline: to the addressee who is signed in, and to the holder of a mailed link. */
function mayDecline(step: Preview['nextStep']): boolean {
  return step === 'ACCEPT' || step === 'SIGN_IN' || step === 'SIGN_UP';
}

/** Whether the page offers to block the account: for an invitation that ended without an answer, or was declined. */
function mayBlock({ status }: Preview): boolean {
  return status === 'DECLINED' || status === 'EXPIRED' || status === 'REVOKED';
}

function Done({ outcome }: { outcome: Outcome }) {
  if (outcome.kind === 'declined') {
    return (
      <>
        <NewHeading>You have declined</NewHeading>
        <p>
          You did not join <strong>{outcome.teamName}</strong>. If you change your mind, ask for a new invitation.
        </p>
      </>
    );
  }
  return (
    <>
      <NewHeading>Welcome to {outcome.teamName}</NewHeading>
      <p>
        {outcome.again ? 'You have already accepted this invitation. ' : 'You are now a member of the team. '}
        {outcome.email && (
          <>
            You are signed in as <strong>{outcome.email}</strong>.
          </>
        )}
      </p>
      <p>
        <a className="button" href="/">
          Continue
        </a>
      </p>
    </>
  );
}
