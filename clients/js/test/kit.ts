// What the tests share: a clock that they move, and a transport that they play.
import { setImmediate } from 'node:timers/promises';
import type { Clock, ConvokeError, Request, Result, Sink, Transport } from '@convoke/client';

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  private time = 0;
  private readonly timeouts = new Map<number, { at: number; run: () => void }>();
  private id = 0;

  now() {
    return this.time;
  }
  setTimeout(run: () => void, milliseconds: number) {
    this.timeouts.set(++this.id, { at: this.time + milliseconds, run });
    return this.id;
  }
  clearTimeout(timeout: unknown) {
    this.timeouts.delete(timeout as number);
  }
  random() {
    return 0.5;
  }

  /** Moves the clock and runs what becomes due. */
  async advance(milliseconds: number) {
    const until = this.time + milliseconds;
    for (;;) {
      await setImmediate();
      const due = [...this.timeouts].filter(([, t]) => t.at <= until).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timeouts.delete(due[0]);
      this.time = due[1].at;
      due[1].run();
    }
    this.time = until;
  }

  /** How many timeouts are left. */
  get pending() {
    return this.timeouts.size;
  }
}

/** One attempt that a subscription has made. */
export interface Attempt {
  request: Request;
  sink: Sink;
  stopped: boolean;
}

/** A transport whose attempts the test answers. */
export class FakeTransport implements Transport {
  readonly attempts: Attempt[] = [];
  closed = false;

  subscribe(request: Request, sink: Sink) {
    const attempt: Attempt = { request, sink, stopped: false };
    this.attempts.push(attempt);
    return () => {
      attempt.stopped = true;
    };
  }
  close() {
    this.closed = true;
  }

  /** The newest attempt. */
  get last(): Attempt {
    const last = this.attempts.at(-1);
    if (!last) throw new Error('got no attempt, want one');
    return last;
  }
  live() {
    this.last.sink.live();
  }
  item(n: number) {
    this.last.sink.next(changed(n));
  }
  fail(error: ConvokeError) {
    this.last.sink.error(error);
  }
  refuse(code: string, message = code) {
    this.last.sink.next({ data: null, errors: [{ message, extensions: { code } }] });
  }
}

/** The response with change n. */
export function changed(n: number): Result {
  return { data: { membersChanged: { cursor: `c${n}`, n } } };
}

export interface Changed {
  membersChanged: { cursor: string; n: number };
}

/** Lets everything run that needs no clock. */
export async function settled() {
  for (let i = 0; i < 5; i++) await setImmediate();
}

/** Whether a promise has been settled. */
export async function isSettled(promise: Promise<unknown>) {
  let is = false;
  const done = () => (is = true);
  promise.then(done, done);
  await settled();
  return is;
}
