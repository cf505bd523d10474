import type { GraphQLFormattedError } from 'graphql';
import { waitBefore } from './clock.js';
import type { Backoff, Clock } from './clock.js';
import type { Plan } from './document.js';
import { ConvokeError, fromErrors, fromThrown } from './error.js';
import type { Result, Transport } from './transport.js';

/** One item of a subscription. */
export interface Item<Data> {
  readonly data: Data;
  /** The errors of fields that are null for this reason; usually empty. */
  readonly errors: readonly GraphQLFormattedError[];
  /** Where a subscription goes on after this item. */
  readonly cursor: string | undefined;
}

/** Why a list must be read anew. */
export type RefetchReason =
  /** The server does not know the cursor, for example because a backup was restored. */
  | 'CURSOR_REFUSED'
  /** The connection broke, and there is no cursor to go on from: the subscription has none, or nothing has come yet. */
  | 'NO_CURSOR';

/** What a subscription does. */
export type Status =
  | { readonly state: 'connecting' }
  /** The connection is open and the subscription was sent. */
  | { readonly state: 'live' }
  /** The connection broke. The next attempt begins after `delay` milliseconds. */
  | { readonly state: 'reconnecting'; readonly reason: ConvokeError; readonly attempt: number; readonly delay: number }
  /** What had been missed was received: this many items. It is followed by what happens now. */
  | { readonly state: 'caughtUp'; readonly items: number }
  /** The list must be read anew. `refetch`, when given, is called to do it. */
  | { readonly state: 'refetch'; readonly reason: RefetchReason }
  /**
   * So many items wait to be iterated over that the connection was closed. It is opened again, from the last
   * of them, when all of them were taken.
   */
  | { readonly state: 'paused' }
  /** There will be no more items. */
  | { readonly state: 'ended'; readonly reason: 'complete' | 'stopped' }
  | { readonly state: 'ended'; readonly reason: 'error'; readonly error: ConvokeError };

export interface SubscriptionOptions<Data> {
  /** Called with each item. Without it, the items are iterated over. */
  next?: ((item: Item<Data>) => void) | undefined;
  onStatus?: ((status: Status) => void) | undefined;
  /** Reads the list anew, and returns the cursor from which the subscription goes on: the `eventCursor` that was read with the list. */
  refetch?: ((reason: RefetchReason) => Promise<string | null | undefined>) | undefined;
  /** Stops the subscription. */
  signal?: AbortSignal | undefined;
}

/** The end of a catch-up: nothing came for this long, in milliseconds. */
const QUIET = 250;
/** A connection that lasted this long, in milliseconds, or that had an item, was a good one: waits begin anew. */
const GOOD_AFTER = 10_000;
/** How many cursors are remembered to drop items that come again. */
const REMEMBERED = 1024;
/** How many items may wait for an application that iterates more slowly than they come. */
const MAX_WAITING = 1000;
/** A cursor that is refused this often in a row is an error. */
const MAX_REFUSALS = 3;

/**
 * A running subscription. It begins at once, reconnects by itself from the cursor of its last item,
 * and ends when it is stopped or when the server refuses it. Each item comes once, in order.
 *
 *     connecting ──▶ live ──▶ reconnecting ──▶ live ──▶ caughtUp …
 *                     │            ▲  │
 *                     └────────────┘  └──▶ ended (also from every other state)
 *
 * An application that iterates slowly has the connection closed and opened again: live ──▶ paused ──▶ live.
 */
export class Subscription<Data> implements AsyncIterable<Item<Data>> {
  /** Resolves at the end; rejects with a ConvokeError when the server refuses the subscription. */
  readonly done: Promise<void>;

  private readonly plan: Plan;
  private readonly variables: Record<string, unknown>;
  private readonly transport: Transport;
  private readonly clock: Clock;
  private readonly backoff: Backoff;
  private readonly options: SubscriptionOptions<Data>;

  private current: Status = { state: 'connecting' };
  private delivered: string | undefined;
  private received: string | undefined;
  private readonly seen = new Set<string>();

  private attempt = 0; // since the last good connection
  private refusals = 0; // of cursors, since the last good connection
  private liveSince: number | undefined;
  private missed: number | undefined; // items of the catch-up; undefined when there is none
  private demand: RefetchReason | undefined; // to be met with the next connection
  private stopAttempt: () => void = () => {};
  private stopWaiting: () => void = () => {};
  private quiet: unknown;

  private readonly queue: Item<Data>[] = [];
  private paused = false; // until the queue is empty
  private failure: ConvokeError | undefined;
  private over = false;
  private readonly waiting: (() => void)[] = []; // calls of the iterator's next
  private settle!: { resolve: () => void; reject: (error: ConvokeError) => void };

  constructor(
    plan: Plan,
    variables: Record<string, unknown>,
    transport: Transport,
    time: { clock: Clock; backoff: Backoff },
    options: SubscriptionOptions<Data>,
  ) {
    this.plan = plan;
    this.variables = variables;
    this.transport = transport;
    this.clock = time.clock;
    this.backoff = time.backoff;
    this.options = options;
    const after = plan.after === undefined ? undefined : variables[plan.after];
    this.delivered = this.received = typeof after === 'string' ? after : undefined;
    this.done = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.done.catch(() => {}); // the end is also a status, and the end of the iteration
    const { signal } = options;
    const abort = () => this.stop();
    signal?.addEventListener('abort', abort);
    void this.done.finally(() => signal?.removeEventListener('abort', abort)).catch(() => {});
    // The caller has the subscription before its first status comes.
    queueMicrotask(() => {
      if (signal?.aborted) this.stop();
      else if (!this.over && this.report({ state: 'connecting' })) this.open();
    });
  }

  /** The newest status. */
  get status(): Status {
    return this.current;
  }

  /** The cursor of the last item that the application has got. A new subscription goes on after it. */
  get cursor(): string | undefined {
    return this.delivered;
  }

  /** Ends the subscription. */
  stop(): void {
    this.finish({ state: 'ended', reason: 'stopped' });
  }

  [Symbol.asyncIterator](): AsyncIterator<Item<Data>> {
    if (this.options.next) throw new TypeError('The items go to the callback "next"; leave it out to iterate.');
    return {
      next: async () => {
        for (;;) {
          const item = this.queue.shift();
          if (item) {
            this.delivered = item.cursor ?? this.delivered;
            if (this.paused && this.queue.length === 0) {
              this.paused = false;
              void this.again();
            }
            return { done: false, value: item };
          }
          const { failure } = this;
          this.failure = undefined; // thrown once
          if (failure) throw failure;
          if (this.over) return { done: true, value: undefined };
          await new Promise<void>((resolve) => this.waiting.push(resolve));
        }
      },
      return: async () => {
        this.stop();
        this.queue.length = 0;
        return { done: true, value: undefined };
      },
    };
  }

  /** Starts an attempt from the last cursor. */
  private open(): void {
    const { plan } = this;
    const sent = this.received;
    let ended = false;
    let live = false;
    const unless = <A extends unknown[]>(handle: (...args: A) => void) => (...args: A) => {
      if (!ended && !this.over) handle(...args);
    };
    const end = (how: () => void) =>
      unless(() => {
        ended = true;
        how();
      })();
    const variables = plan.after === undefined ? this.variables : { ...this.variables, [plan.after]: sent ?? null };
    let stop: (() => void) | undefined;
    stop = this.transport.subscribe(
      { query: plan.query, operationName: plan.operationName, variables },
      {
        live: unless(() => {
          if (live) return;
          live = true;
          this.liveNow(sent);
        }),
        next: unless((result: Result) => {
          if (result.data == null) {
            const error = fromErrors(result.errors);
            end(() => {
              stop?.();
              this.broke(error, sent);
            });
          } else this.receive(result);
        }),
        error: (error) => end(() => this.broke(error, sent)),
        complete: () => end(() => this.finish({ state: 'ended', reason: 'complete' })),
      },
    );
    this.stopAttempt = () => {
      ended = true;
      stop?.();
    };
    if (ended || this.over) this.stopAttempt(); // the transport has reported something at once
  }

  private liveNow(sent: string | undefined): void {
    this.liveSince = this.clock.now();
    if (!this.report({ state: 'live' })) return;
    if (sent !== undefined) {
      this.missed ??= 0;
      this.waitForQuiet();
    }
    if (this.demand !== undefined) this.meet(this.demand);
  }

  /** Meets the demand of a subscription that could not be met before it was live. */
  private meet(reason: RefetchReason): void {
    this.demand = undefined;
    if (!this.report({ state: 'refetch', reason })) return;
    const { refetch } = this.options;
    if (!refetch) return;
    const attempt = this.stopAttempt;
    Promise.resolve()
      .then(() => refetch(reason))
      .catch((thrown: unknown) => {
        if (this.over || this.stopAttempt !== attempt) return;
        attempt();
        this.demand = reason;
        this.broke(fromThrown(thrown), undefined);
      });
  }

  private waitForQuiet(): void {
    this.clock.clearTimeout(this.quiet);
    this.quiet = this.clock.setTimeout(() => {
      const items = this.missed ?? 0;
      this.missed = undefined;
      this.report({ state: 'caughtUp', items });
    }, QUIET);
  }

  private receive(result: Result): void {
    const cursor = this.plan.cursorOf(result.data);
    if (cursor !== undefined) {
      if (this.seen.has(cursor)) return;
      this.seen.add(cursor);
      const [oldest] = this.seen;
      if (oldest !== undefined && this.seen.size > REMEMBERED) this.seen.delete(oldest);
      this.received = cursor;
    }
    this.attempt = this.refusals = 0;
    if (this.missed !== undefined) {
      this.missed++;
      this.waitForQuiet();
    }
    const item: Item<Data> = { data: result.data as Data, errors: result.errors ?? [], cursor };
    const { next } = this.options;
    if (next) {
      this.delivered = cursor ?? this.delivered;
      this.call(() => next(item));
    } else {
      this.queue.push(item);
      this.wake();
      if (this.queue.length >= MAX_WAITING) this.pause();
    }
  }

  /** Ends the attempt until the application has taken the items that wait. */
  private pause(): void {
    this.clock.clearTimeout(this.quiet);
    this.stopAttempt();
    this.liveSince = undefined;
    if (this.received === undefined) this.demand ??= 'NO_CURSOR';
    this.paused = this.report({ state: 'paused' });
  }

  /** Decides what comes after the end of an attempt. */
  private broke(error: ConvokeError, sent: string | undefined): void {
    this.clock.clearTimeout(this.quiet);
    if (this.liveSince !== undefined && this.clock.now() - this.liveSince >= GOOD_AFTER) this.attempt = this.refusals = 0;
    this.liveSince = undefined;
    if (error.code === 'BAD_USER_INPUT' && sent !== undefined && ++this.refusals < MAX_REFUSALS) {
      // The cursor is the only input that changes. Another wrong input is refused again, and ends the subscription then.
      this.received = undefined;
      this.seen.clear();
      this.demand = 'CURSOR_REFUSED';
    } else if (!error.temporary) {
      this.finish({ state: 'ended', reason: 'error', error });
      return;
    } else if (this.received === undefined) this.demand ??= 'NO_CURSOR';
    this.attempt++;
    const delay = waitBefore(this.attempt, this.backoff, this.clock, error.retryAfterSeconds);
    if (!this.report({ state: 'reconnecting', reason: error, attempt: this.attempt, delay })) return;
    const again = () => {
      this.stopWaiting();
      void this.again();
    };
    const timeout = this.clock.setTimeout(again, delay);
    globalThis.addEventListener?.('online', again); // a browser knows when its network is back
    this.stopWaiting = () => {
      this.clock.clearTimeout(timeout);
      globalThis.removeEventListener?.('online', again);
    };
  }

  /** Reads the list anew, if that gives a cursor to go on from, and starts an attempt. */
  private async again(): Promise<void> {
    const { demand } = this;
    const { refetch } = this.options;
    if (demand !== undefined && refetch && this.plan.after !== undefined) {
      if (!this.report({ state: 'refetch', reason: demand })) return;
      try {
        this.received = (await refetch(demand)) ?? undefined;
      } catch (thrown) {
        if (!this.over) this.broke(fromThrown(thrown), undefined);
        return;
      }
      this.demand = undefined;
    }
    if (!this.over) this.open();
  }

  /** Reports a status; false when the subscription has ended. */
  private report(status: Status): boolean {
    if (this.over) return false;
    this.current = status;
    this.call(() => this.options.onStatus?.(status));
    return !this.over;
  }

  /** Calls a callback of the application; an error that it throws ends the subscription. */
  private call(callback: () => void): void {
    try {
      callback();
    } catch (cause) {
      this.finish({ state: 'ended', reason: 'error', error: callbackFailed(cause) });
    }
  }

  private finish(status: Extract<Status, { state: 'ended' }>): void {
    if (this.over) return;
    this.over = true;
    this.current = status;
    this.stopWaiting();
    this.clock.clearTimeout(this.quiet);
    this.stopAttempt();
    this.failure = status.reason === 'error' ? status.error : undefined;
    try {
      this.options.onStatus?.(status);
    } catch (cause) {
      this.failure ??= callbackFailed(cause);
    }
    if (this.failure) this.settle.reject(this.failure);
    else this.settle.resolve();
    this.wake();
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}

function callbackFailed(cause: unknown): ConvokeError {
  return new ConvokeError('CALLBACK', 'A callback threw an error.', { cause });
}
