import { useEffect, useId, useRef, useState, type FormEvent, type InputHTMLAttributes, type ReactNode } from 'react';
import { explain, type UserError } from './graphql';

/** The state of a form, which its parts show. */
export interface Form {
  busy: boolean;
  /** The error of one field. */
  messageFor(field: string): string | undefined;
  /** All other errors. */
  problem: string;
  submit(event?: FormEvent<HTMLFormElement>): void;
}

/**
 * Runs an action when a form is submitted, once at a time. Errors that it returns for the form's fields are shown at the
 * fields, and all others in `problem`.
 */
export function useForm(fields: readonly string[], action: () => Promise<UserError[]>): Form {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<UserError[]>([]);
  const [failure, setFailure] = useState('');
  const running = useRef(false);

  const isOwn = (error: UserError) => fields.includes(error.field[0] ?? '');
  const run = async () => {
    if (running.current) {
      return;
    }
    running.current = true;
    setBusy(true);
    setErrors([]);
    setFailure('');
    try {
      setErrors(await action());
    } catch (error) {
      setFailure(explain(error));
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return {
    busy,
    messageFor: (field) => errors.find((error) => error.field[0] === field)?.message,
    problem: failure || errors.filter((error) => !isOwn(error)).map((error) => error.message).join(' '),
    submit: (event) => {
      event?.preventDefault();
      void run();
    },
  };
}

/** A live region that is always in the document, because some screen readers do not read one that appears with its text. */
export function Problem({ children }: { children: ReactNode }) {
  return (
    <div className="problem" role="alert">
      {children && <p>{children}</p>}
    </div>
  );
}

interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, 'form' | 'onChange' | 'value'> {
  form: Form;
  name: string;
  label: string;
  value: string;
  onValue(value: string): void;
  hint?: ReactNode;
  /** An element beside the input, such as a button. */
  beside?: ReactNode;
}

/** A labelled input with its hint and its error. */
export function Field({ form, name, label, value, onValue, hint, beside, ...input }: FieldProps) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  const message = form.messageFor(name);
  useEffect(() => {
    const first = element.current?.form?.querySelector('[aria-invalid="true"]');
    if (message && first === element.current) {
      element.current?.focus();
    }
  }, [message]);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="input">
        <input
          {...input}
          ref={element}
          id={id}
          name={name}
          value={value}
          onChange={(event) => onValue(event.target.value)}
          aria-invalid={message ? true : undefined}
          aria-describedby={`${id}-hint ${id}-error`}
        />
        {beside}
      </div>
      <div id={`${id}-hint`} className="hint">
        {hint}
      </div>
      <div id={`${id}-error`} className="error" aria-live="polite">
        {message}
      </div>
    </div>
  );
}

/** An input for a password, which can be shown while it is typed. */
export function PasswordField({ name = 'password', ...props }: Omit<FieldProps, 'name' | 'beside' | 'type'> & { name?: string }) {
  const [shown, setShown] = useState(false);
  return (
    <Field
      {...props}
      name={name}
      type={shown ? 'text' : 'password'}
      autoCapitalize="none"
      spellCheck={false}
      required
      beside={
        <button type="button" className="quiet" aria-label={shown ? 'Hide password' : 'Show password'} onClick={() => setShown(!shown)}>
          {shown ? 'Hide' : 'Show'}
        </button>
      }
    />
  );
}

/** The button that submits a form. While the action runs, it keeps the focus but does nothing. */
export function Submit({ form, children, className }: { form: Form; children: ReactNode; className?: string }) {
  return (
    <button type="submit" className={className} aria-disabled={form.busy || undefined}>
      {children}
    </button>
  );
}

/** A button with an action of its own, and the action's errors. */
export function Action({ action, children, className }: { action: () => Promise<UserError[]>; children: ReactNode; className?: string }) {
  const form = useForm([], action);
  return (
    <form onSubmit={form.submit}>
      <Problem>{form.problem}</Problem>
      <Submit form={form} className={className}>
        {children}
      </Submit>
    </form>
  );
}
