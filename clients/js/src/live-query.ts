import type { GraphQLFormattedError } from 'graphql';
import { waitBefore } from './clock.js';
import type { Backoff, Clock } from './clock.js';
import type { Document } from './document.js';
import { ConvokeError, fromThrown } from './error.js';
import type { Item, Status, Subscription, SubscriptionOptions } from './subscription.js';

/** A subscription whose items change the list of a live query. */
export interface Change<Data = unknown> {
  readonly document: Document<Data, never>;
  readonly variables?: Record<string, unknown> | undefined;
}

/** Returns a change with checked variables. */
export function change<Data, Variables>(document: Document<Data, Variables>, variables: Omit<Variables, 'after'>): Change<Data> {
  return { document: document as Document<Data, never>, variables: variables as Record<string, unknown> };
}

/** The data of the items of changes. */
export type ChangedBy<Changes extends readonly Change[]> = Changes[number] extends infer C ? (C extends Change<infer Data> ? Data : never) : never;

/** What a live query shows. */
export interface Snapshot<Data, Changed = unknown> {
  readonly data: Data;
  /** The errors of fields that are null for this reason; usually empty. */
  readonly errors: readonly GraphQLFormattedError[];
  /** The item that was put into the data; undefined when the list was read. */
  readonly item: Item<Changed> | undefined;
}

export interface LiveQueryOptions<Data, Changed = unknown> {
  /** The subscriptions to follow, or a function that returns them for the first data. Each begins at the cursor of the list. */
  changes: readonly Change[] | ((data: Data) => readonly Change[]);
  /** Returns the cursor of the list; by default the first `eventCursor` or `receivedInvitationsCursor` in the data. */
  cursor?: ((data: Data) => string | null | undefined) | undefined;
  /**
   * Returns the data with the item put in, or undefined to have the list read anew. It gets an item that the data
   * already has now and then. Without it, the list is read anew after each item.
   */
  apply?: ((data: Data, item: Item<Changed>) => Data | undefined) | undefined;
  /**
   * Called with each snapshot. Without it, the snapshots are iterated over; one that is not taken before a hundred
   * newer ones is left out.
   */
  next?: ((snapshot: Snapshot<Data, Changed>) => void) | undefined;
  /** Called with each status of each subscription; `index` is the index in `changes`. */
  onStatus?: ((status: Status, index: number) => void) | undefined;
  /** Called when the list could not be read. It is read again after `delay` milliseconds. */
  onRetry?: ((reason: ConvokeError, delay: number) => void) | undefined;
  /** Stops the live query. */
  signal?: AbortSignal | undefined;
}

/** What a live query needs of its client. */
export interface LiveSource<Data> {
  read(signal: AbortSignal): Promise<{ data: Data; errors: readonly GraphQLFormattedError[] }>;
  subscribe(change: Change, after: string, options: SubscriptionOptions<unknown>): Subscription<unknown>;
  clock: Clock;
  backoff: Backoff;
}

/** How long a list waits for further items before it is read anew, in milliseconds. */
const COLLECT = 50;
/** How many items of a read are kept to be put into its result. Beyond them, the list is read once more instead. */
const MAX_HELD = 1000;
/** How many snapshots wait for an application that iterates more slowly than they come. */
const MAX_WAITING = 100;

/**
 * A list that is read once and followed without a gap: the cursor is of the same moment as the list.
 *
 *     read ──▶ follow ──▶ item ──▶ apply ──▶ snapshot
 *      ▲         │                   │
 *      └─────────┴── read anew ◀─────┘
 *
 * One read runs at a time. Items that come meanwhile are put into its result. A reader that asks
 * for the list during a read gets the result of the next one, because the list may have changed since the read began.
 */
export class LiveQuery<Data, Changed = unknown> implements AsyncIterable<Snapshot<Data, Changed>> {
  /** Resolves at the end; rejects with a ConvokeError when the server refuses the query or a subscription. */
  readonly done: Promise<void>;

  private readonly source: LiveSource<Data>;
  private readonly options: LiveQueryOptions<Data, Changed>;
  private readonly aborter = new AbortController();

  private newest: Snapshot<Data, Changed> | undefined;
  private subscriptions: Subscription<unknown>[] = [];
  private states: Status['state'][] = [];
  private reading: Promise<string> | undefined;
  private following: Promise<string> | undefined; // the read after the one that runs
  private held: Item<Changed>[] | 'too many' = []; // items that came during a read
  private collecting: unknown;

  private readonly queue: Snapshot<Data, Changed>[] = [];
  private readonly waiting: (() => void)[] = [];
  private failure: ConvokeError | undefined;
  private over = false;
  private settle!: { resolve: () => void; reject: (error: ConvokeError) => void };

  constructor(source: LiveSource<Data>, options: LiveQueryOptions<Data, Changed>) {
    this.source = source;
    this.options = options;
    this.done = new Promise((resolve, reject) => (this.settle = { resolve, reject }));
    this.done.catch(() => {}); // it is also the end of the iteration
    const { signal } = options;
    const abort = () => this.stop();
    signal?.addEventListener('abort', abort);
    void this.done.finally(() => signal?.removeEventListener('abort', abort)).catch(() => {});
    queueMicrotask(() => {
      if (signal?.aborted) this.stop();
      else if (!this.over) this.begin();
    });
  }

  /** The newest snapshot; undefined until the list was read. */
  get snapshot(): Snapshot<Data, Changed> | undefined {
    return this.newest;
  }

  /** Whether the list follows all of its changes now. */
  get live(): boolean {
    return !this.over && this.states.length > 0 && this.states.every((s) => s === 'live' || s === 'caughtUp');
  }

  /** Reads the list anew. */
  async refetch(): Promise<void> {
    await this.readAnew();
  }

  /** Ends the live query. */
  stop(): void {
    this.finish();
  }

  [Symbol.asyncIterator](): AsyncIterator<Snapshot<Data, Changed>> {
    if (this.options.next) throw new TypeError('The snapshots go to the callback "next"; leave it out to iterate.');
    return {
      next: async () => {
        for (;;) {
          const snapshot = this.queue.shift();
          if (snapshot) return { done: false, value: snapshot };
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

  private begin(): void {
    this.readAnew().then((cursor) => {
      if (this.over || !this.newest) return;
      const { data } = this.newest;
      let changes: readonly Change[] = [];
      this.call(() => (changes = typeof this.options.changes === 'function' ? this.options.changes(data) : this.options.changes));
      if (this.over) return;
      this.states = changes.map(() => 'connecting');
      this.subscriptions = changes.map((c, index) =>
        this.source.subscribe(c, cursor, {
          next: (item) => this.receive(item as Item<Changed>),
          refetch: () => this.readAnew(),
          onStatus: (status) => {
            if (this.over) return;
            this.states[index] = status.state;
            this.call(() => this.options.onStatus?.(status, index));
            if (status.state === 'ended') this.finish(status.reason === 'error' ? status.error : undefined);
          },
        }),
      );
    }, () => {}); // finish has reported it
  }

  private receive(item: Item<Changed>): void {
    if (this.over) return;
    if (!this.reading) this.put(item);
    else if (this.held !== 'too many' && this.held.push(item) > MAX_HELD) this.held = 'too many';
  }

  private put(item: Item<Changed>): void {
    const { newest } = this;
    let data: Data | undefined;
    this.call(() => (data = newest && this.options.apply?.(newest.data, item)));
    if (this.over || !newest) return;
    if (data !== undefined) {
      if (data !== newest.data) this.show({ data, errors: newest.errors, item });
      return;
    }
    this.soon();
  }

  /** Reads the list anew, once for all items that come together. */
  private soon(): void {
    this.collecting ??= this.source.clock.setTimeout(() => {
      this.collecting = undefined;
      void this.readAnew().catch(() => {}); // finish has reported it
    }, COLLECT);
  }

  /** Reads the list, and returns its cursor. */
  private readAnew(): Promise<string> {
    if (this.following) return this.following;
    const begin = () => {
      this.following = undefined;
      this.reading = this.read().finally(() => {
        this.reading = undefined;
        const { held } = this;
        this.held = [];
        if (held === 'too many') this.soon();
        else for (const item of held) this.put(item);
      });
      return this.reading;
    };
    if (!this.reading) return begin();
    this.following = this.reading.then(begin);
    return this.following;
  }

  private async read(): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (this.over) throw new ConvokeError('NO_CURSOR', 'The live query has ended.');
        const { data, errors } = await this.source.read(this.aborter.signal);
        const cursor = (this.options.cursor ?? cursorIn)(data);
        this.show({ data, errors, item: undefined });
        if (typeof cursor === 'string') return cursor;
        throw new ConvokeError('NO_CURSOR', 'The query returned no cursor: the object is not there, or the document does not select `eventCursor`.', { errors });
      } catch (thrown) {
        const error = fromThrown(thrown);
        if (this.over) throw error;
        if (!error.temporary) {
          this.finish(error);
          throw error;
        }
        const delay = waitBefore(attempt, this.source.backoff, this.source.clock, error.retryAfterSeconds);
        this.call(() => this.options.onRetry?.(error, delay));
        await new Promise<void>((resolve) => {
          const signal = this.aborter.signal;
          const end = () => {
            this.source.clock.clearTimeout(timeout);
            signal.removeEventListener('abort', end);
            resolve();
          };
          const timeout = this.source.clock.setTimeout(end, delay);
          signal.addEventListener('abort', end);
        });
      }
    }
  }

  private show(snapshot: Snapshot<Data, Changed>): void {
    if (this.over) return;
    this.newest = snapshot;
    const { next } = this.options;
    if (next) this.call(() => next(snapshot));
    else {
      if (this.queue.push(snapshot) > MAX_WAITING) this.queue.shift();
      this.wake();
    }
  }

  /** Calls a callback of the application; an error that it throws ends the live query. */
  private call(callback: () => void): void {
    try {
      callback();
    } catch (cause) {
      this.finish(new ConvokeError('CALLBACK', 'A callback threw an error.', { cause }));
    }
  }

  private finish(error?: ConvokeError): void {
    if (this.over) return;
    this.over = true;
    this.aborter.abort();
    this.source.clock.clearTimeout(this.collecting);
    for (const s of this.subscriptions) s.stop();
    this.failure = error;
    if (error) this.settle.reject(error);
    else this.settle.resolve();
    this.wake();
  }

  private wake(): void {
    for (const wake of this.waiting.splice(0)) wake();
  }
}

const CURSORS = ['eventCursor', 'receivedInvitationsCursor'];

/** Returns the first cursor of a list in the data, from the outside in. */
function cursorIn(data: unknown): string | undefined {
  let level: unknown[] = [data];
  while (level.length > 0) {
    const below: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      for (const key of CURSORS) {
        const cursor = (value as Record<string, unknown>)[key];
        if (typeof cursor === 'string') return cursor;
      }
      below.push(...Object.values(value));
    }
    level = below;
  }
  return undefined;
}
