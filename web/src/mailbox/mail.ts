import { useEffect, useState } from 'react';

/** One captured mail, as /mailbox.json lists it, newest first. */
export interface Mail {
  id: string;
  from: string | string[];
  to: string | string[];
  subject: string;
  text: string;
  html: string;
  headers: Record<string, string | string[]> | null;
  sentAt: string;
}

const pollEvery = 2000; // milliseconds

/** The captured mail, kept up to date while the page is looked at. `mails` is null until the first answer. */
export function useMails(): { mails: Mail[] | null; failure: string } {
  const [mails, setMails] = useState<Mail[] | null>(null);
  const [failure, setFailure] = useState('');
  useEffect(() => {
    const stop = new AbortController();
    let timer: number | undefined;
    let seen: string | undefined;

    const poll = async () => {
      clearTimeout(timer);
      if (document.visibilityState === 'visible') {
        try {
          const text = await fetchMailbox(stop.signal);
          if (text !== seen) {
            setMails(JSON.parse(text) as Mail[]);
            seen = text;
          }
          setFailure('');
        } catch {
          if (!stop.signal.aborted) {
            setFailure('The mailbox does not answer. Trying again…');
          }
        }
      }
      if (!stop.signal.aborted) {
        clearTimeout(timer);
        timer = setTimeout(() => void poll(), pollEvery);
      }
    };
    void poll();
    return () => {
      stop.abort();
      clearTimeout(timer);
    };
  }, []);
  return { mails, failure };
}

async function fetchMailbox(signal: AbortSignal): Promise<string> {
  const response = await fetch('/mailbox.json', { credentials: 'same-origin', cache: 'no-cache', signal });
  if (!response.ok) {
    throw new Error(`mailbox: HTTP ${response.status}`);
  }
  return response.text();
}

/** One or more addresses on one line. */
export function addresses(value: string | string[]): string {
  return Array.isArray(value) ? value.join(', ') : value;
}
