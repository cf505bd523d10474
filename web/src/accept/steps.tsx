import { useState } from 'react';
import { Action, Field, PasswordField, Problem, Submit, useForm, type Form } from '../form';
import type { UserError } from '../graphql';
import { signOut, SignInForm } from '../session';
import { signUp, type NewUser, type Preview } from './invitation';

interface NextStepProps {
  preview: Preview;
  viewerEmail?: string;
  passwordMinLength: number;
  ssoUrl: string | null;
  onAccept: (newUser?: NewUser) => Promise<UserError[]>;
  reload: () => Promise<void>;
}

/** The step that the server asks for next. */
export function NextStep({ preview, viewerEmail, passwordMinLength, ssoUrl, onAccept, reload }: NextStepProps) {
  switch (preview.nextStep) {
    case 'ACCEPT':
      return (
        <>
          {viewerEmail && (
            <p>
              You are signed in as <strong>{viewerEmail}</strong>.
            </p>
          )}
          <Action action={() => onAccept()}>Accept</Action>
        </>
      );
    case 'SIGN_UP':
      return <SignUpAndAccept passwordMinLength={passwordMinLength} onAccept={onAccept} />;
    case 'SIGN_IN':
      return (
        <>
          <h2>Sign in to accept</h2>
          <p>You already have a password here. Sign in with it, then accept the invitation.</p>
          <SignInForm onSignedIn={reload} ssoUrl={ssoUrl} ssoInNewTab />
        </>
      );
    case 'SIGN_IN_OR_SIGN_UP':
      return <SignInOrSignUp maskedEmail={preview.maskedEmail} passwordMinLength={passwordMinLength} ssoUrl={ssoUrl} reload={reload} />;
    case 'SWITCH_ACCOUNT':
      return (
        <>
          <h2>This invitation is for another address</h2>
          <p>
            You are signed in as <strong>{viewerEmail ?? 'somebody else'}</strong>, but the invitation went to{' '}
            <strong>{preview.maskedEmail}</strong>. Sign out first, then open it as the person it is meant for.
          </p>
          <Action
            action={async () => {
              await signOut();
              await reload();
              return [];
            }}
          >
            Sign out
          </Action>
        </>
      );
    case 'NONE':
      return <Settled status={preview.status} />;
  }
}

function Settled({ status }: { status: Preview['status'] }) {
  switch (status) {
    case 'ACCEPTED':
      return (
        <>
          <p>This invitation has been accepted.</p>
          <p>
            <a className="button" href="/">
              Continue
            </a>
          </p>
        </>
      );
    case 'DECLINED':
      return <p>This invitation has been declined. If that was a mistake, ask for a new one.</p>;
    case 'REVOKED':
      return <p>This invitation has been revoked. If you think that was a mistake, ask the person who invited you.</p>;
    case 'EXPIRED':
      return <p>This invitation has expired. Ask the person who invited you to send it again.</p>;
    case 'PENDING':
      return <p>This invitation cannot be accepted at the moment. Please try again later, or ask the person who invited you.</p>;
  }
}

function SignUpAndAccept({ passwordMinLength, onAccept }: Pick<NextStepProps, 'passwordMinLength' | 'onAccept'>) {
  const [person, setPerson] = useState<NewUser>({ firstName: '', lastName: '', password: '' });
  const form = useForm(['firstName', 'lastName', 'password'], () => onAccept(person));
  return (
    <form onSubmit={form.submit}>
      <h2>Choose a password to accept</h2>
      <Problem>{form.problem}</Problem>
      <NewUserFields form={form} person={person} setPerson={setPerson} passwordMinLength={passwordMinLength} />
      <Submit form={form}>Accept invitation</Submit>
    </form>
  );
}

interface NewUserFieldsProps {
  form: Form;
  person: NewUser;
  setPerson: (person: NewUser) => void;
  passwordMinLength: number;
}

function NewUserFields({ form, person, setPerson, passwordMinLength }: NewUserFieldsProps) {
  return (
    <>
      <div className="pair">
        <Field
          form={form}
          name="firstName"
          label="First name"
          autoComplete="given-name"
          value={person.firstName}
          onValue={(firstName) => setPerson({ ...person, firstName })}
        />
        <Field
          form={form}
          name="lastName"
          label="Last name"
          autoComplete="family-name"
          value={person.lastName}
          onValue={(lastName) => setPerson({ ...person, lastName })}
        />
      </div>
      <PasswordField
        form={form}
        label="Password"
        autoComplete="new-password"
        hint={`At least ${passwordMinLength} characters.`}
        value={person.password}
        onValue={(password) => setPerson({ ...person, password })}
      />
    </>
  );
}

/** For a link that was handed over. It proves no address, so the person has to sign in, or to sign up and confirm the address. */
function SignInOrSignUp({ maskedEmail, passwordMinLength, ssoUrl, reload }: { maskedEmail: string } & Pick<NextStepProps, 'passwordMinLength' | 'ssoUrl' | 'reload'>) {
  const [isNew, setIsNew] = useState(false);
  return (
    <>
      <h2>{isNew ? 'Sign up first' : 'Sign in to accept'}</h2>
      <p>
        This invitation is for <strong>{maskedEmail}</strong>.{' '}
        {isNew
          ? 'Sign up with that address, confirm it with the mail you get, then come back to this link.'
          : 'Sign in with that address. If you are new here, sign up with it first and then come back to this link.'}
      </p>
      {isNew ? <SignUpForm passwordMinLength={passwordMinLength} /> : <SignInForm onSignedIn={reload} ssoUrl={ssoUrl} ssoInNewTab />}
      <button type="button" className="link" onClick={() => setIsNew(!isNew)}>
        {isNew ? 'I have a password already' : 'I am new here'}
      </button>
    </>
  );
}

function SignUpForm({ passwordMinLength }: { passwordMinLength: number }) {
  const [email, setEmail] = useState('');
  const [person, setPerson] = useState<NewUser>({ firstName: '', lastName: '', password: '' });
  const [sentTo, setSentTo] = useState('');
  const form = useForm(['email', 'firstName', 'lastName', 'password'], async () => {
    const errors = await signUp(email, person);
    setSentTo(errors.length === 0 ? email : '');
    return errors;
  });
  return (
    <>
      <div role="status">
        {sentTo && (
          <p className="success">
            We have sent a mail to <strong>{sentTo}</strong>. Open the link in it to confirm your address, then come back to this page.
          </p>
        )}
      </div>
      {!sentTo && (
        <form onSubmit={form.submit}>
          <Problem>{form.problem}</Problem>
          <Field form={form} name="email" label="E-mail address" type="email" autoComplete="username" required value={email} onValue={setEmail} />
          <NewUserFields form={form} person={person} setPerson={setPerson} passwordMinLength={passwordMinLength} />
          <Submit form={form}>Sign up</Submit>
        </form>
      )}
    </>
  );
}

/** Declining takes two clicks. */
export function Decline({ teamName, onDecline }: { teamName: string; onDecline: () => Promise<UserError[]> }) {
  const [state, setState] = useState<'unasked' | 'asking' | 'kept'>('unasked');
  return (
    <div className="aside">
      {state === 'asking' ? (
        <div role="group" aria-label="Decline the invitation">
          <p>
            Decline to join <strong>{teamName}</strong>? The link stops working, and the person who invited you can see that you declined.
          </p>
          <div className="buttons">
            <Action className="danger" action={onDecline}>
              Yes, decline
            </Action>
            <button type="button" className="secondary" autoFocus onClick={() => setState('kept')}>
              Keep the invitation
            </button>
          </div>
        </div>
      ) : (
        <button type="button" className="link" autoFocus={state === 'kept'} onClick={() => setState('asking')}>
          Decline
        </button>
      )}
    </div>
  );
}
