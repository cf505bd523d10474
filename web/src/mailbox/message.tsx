import { useId, useState, type KeyboardEvent } from 'react';
import { NewHeading } from '../page';
import { addresses, type Mail } from './mail';

const views = ['HTML', 'Text', 'Headers'] as const;
type View = (typeof views)[number];

const moment = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'medium' });

/** One mail: its envelope, and its body in the view that a tab selects. */
export function Message({ mail, onBack }: { mail: Mail; onBack: () => void }) {
  const [view, setView] = useState<View>(mail.html ? 'HTML' : 'Text');
  const id = useId();
  return (
    <article className="card message">
      <button type="button" className="link back" onClick={onBack}>
        ← All mails
      </button>
      <NewHeading>{mail.subject || '(no subject)'}</NewHeading>
      <dl>
        <dt>From</dt>
        <dd>{addresses(mail.from)}</dd>
        <dt>To</dt>
        <dd>{addresses(mail.to)}</dd>
        <dt>Sent</dt>
        <dd>
          <time dateTime={mail.sentAt}>{moment.format(new Date(mail.sentAt))}</time>
        </dd>
      </dl>
      <Tabs id={id} view={view} onView={setView} />
      <div id={`${id}-panel`} role="tabpanel" aria-labelledby={`${id}-${view}`} tabIndex={0}>
        {view === 'HTML' && <HTMLBody html={mail.html} />}
        {view === 'Text' && <TextBody text={mail.text} />}
        {view === 'Headers' && <Headers headers={mail.headers} />}
      </div>
    </article>
  );
}

function Tabs({ id, view, onView }: { id: string; view: View; onView: (view: View) => void }) {
  const move = (event: KeyboardEvent<HTMLDivElement>) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    const next = views[(views.indexOf(view) + step + views.length) % views.length];
    if (step !== 0 && next) {
      onView(next);
      document.getElementById(`${id}-${next}`)?.focus();
    }
  };
  return (
    <div role="tablist" aria-label="Body of the mail" className="tabs" onKeyDown={move}>
      {views.map((name) => (
        <button
          key={name}
          id={`${id}-${name}`}
          type="button"
          role="tab"
          aria-selected={name === view}
          aria-controls={`${id}-panel`}
          tabIndex={name === view ? 0 : -1}
          onClick={() => onView(name)}
        >
          {name}
        </button>
      ))}
    </div>
  );
}

/**
 * The HTML body in a frame with an origin of its own and without scripts. The two popup permissions let its links open in an
 * ordinary new tab. The frame inherits this page's content security policy, so that the mail cannot load anything.
 */
function HTMLBody({ html }: { html: string }) {
  if (!html) {
    return <p className="hint">This mail has no HTML body.</p>;
  }
  return (
    <iframe
      title="HTML body of the mail"
      sandbox="allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
      srcDoc={withNewTabs(html)}
    />
  );
}

/** Makes the document's links open in a new tab. The base element has to come first in the head, after any doctype. */
function withNewTabs(html: string): string {
  const base = '<base target="_blank">';
  const head = /<head(\s[^>]*)?>/i;
  return head.test(html) ? html.replace(head, (tag) => tag + base) : base + html;
}

function TextBody({ text }: { text: string }) {
  if (!text) {
    return <p className="hint">This mail has no text body.</p>;
  }
  // The pattern has one group, so split returns the links at the odd indexes.
  const parts = text.split(/(https?:\/\/[^\s<>"]+)/);
  return (
    <pre>
      {parts.map((part, index) =>
        index % 2 === 0 ? (
          part
        ) : (
          <a key={index} href={part} target="_blank" rel="noreferrer">
            {part}
          </a>
        ),
      )}
    </pre>
  );
}

function Headers({ headers }: { headers: Mail['headers'] }) {
  const rows = Object.entries(headers ?? {}).flatMap(([name, value]) => [value].flat().map((one) => [name, one] as const));
  if (rows.length === 0) {
    return <p className="hint">This mail has no headers.</p>;
  }
  return (
    <dl className="headers">
      {rows.map(([name, value], index) => (
        <div key={index}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
