import { useEffect, useRef, useState } from 'react';
import { Problem } from '../form';
import { Loading, Page } from '../page';
import { addresses, useMails, type Mail } from './mail';
import { Message } from './message';

/** The demo's mailbox: every mail that the server would have sent. */
export function Mailbox() {
  const { mails, failure } = useMails();
  const [selectedID, setSelectedID] = useState<string | null>(null);
  const [leftID, setLeftID] = useState<string | null>(null);
  const selected = mails?.find((mail) => mail.id === selectedID);
  const leave = () => {
    setLeftID(selectedID);
    setSelectedID(null);
  };
  return (
    <Page wide>
      <h1>Mailbox</h1>
      <p>The mails of this server. The demo sends none of them.</p>
      <Problem>{failure}</Problem>
      {!mails ? (
        !failure && <Loading />
      ) : mails.length === 0 ? (
        <p className="card">No mail yet. Invite somebody, and the invitation appears here.</p>
      ) : (
        <div className={selected ? 'mailbox reading' : 'mailbox'}>
          <nav aria-label="Mails">
            <ul className="mails">
              {mails.map((mail) => (
                <Row key={mail.id} mail={mail} current={mail === selected} left={!selected && mail.id === leftID} onSelect={() => setSelectedID(mail.id)} />
              ))}
            </ul>
          </nav>
          {selected ? (
            <Message key={selected.id} mail={selected} onBack={leave} />
          ) : (
            <p className="card nothing">Select a mail to read it.</p>
          )}
        </div>
      )}
    </Page>
  );
}

const clock = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' });

interface RowProps {
  mail: Mail;
  current: boolean;
  /** Whether the reader came back from this mail: the row takes the focus. */
  left: boolean;
  onSelect: () => void;
}

function Row({ mail, current, left, onSelect }: RowProps) {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (left) {
      button.current?.focus();
    }
  }, [left]);
  return (
    <li>
      <button ref={button} type="button" aria-current={current || undefined} onClick={onSelect}>
        <strong>{mail.subject || '(no subject)'}</strong>
        <span>{addresses(mail.to)}</span>
        <time dateTime={mail.sentAt}>{clock.format(new Date(mail.sentAt))}</time>
      </button>
    </li>
  );
}
