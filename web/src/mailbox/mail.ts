import { useEffect, useState } from 'react';

/** One captured mail of /mailbox.json. */
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

/** The captured mails, newest first, updated while the page is visible. `mails` is null until the first response. */
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
            setFailure('The mailbox cannot be read. Trying again…');
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
