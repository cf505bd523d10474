import type { GraphQLFormattedError } from 'graphql';
import { defaultBackoff, systemClock } from './clock.js';
import type { Backoff, Clock } from './clock.js';
import { operationOf, planOf } from './document.js';
import type { Document, VariablesOf } from './document.js';
import { send } from './http.js';
import { LiveQuery } from './live-query.js';
import type { Change, ChangedBy, LiveQueryOptions } from './live-query.js';
import { Subscription } from './subscription.js';
import type { SubscriptionOptions } from './subscription.js';
import type { Connect, Connection, Transport } from './transport.js';

export interface ClientOptions {
  /** The address of the endpoint, such as `https://team.example.com/graphql`. In a browser it may be relative. */
  url: string;
  /** What carries subscriptions: `webSocket()` of `@convoke/client/ws` or `eventStream()` of `@convoke/client/sse`. */
  live?: Connect | undefined;
  /** The session token, or a function that returns the current one; leave it out for a session in a cookie. */
  token?: string | (() => string | undefined | Promise<string | undefined>) | undefined;
  /** Whether cookies are sent: `include` for a server on another origin. */
  credentials?: RequestCredentials | undefined;
  fetch?: typeof fetch | undefined;
  /** How long to wait between attempts. */
  backoff?: Partial<Backoff> | undefined;
  /** Time, for tests. */
  clock?: Clock | undefined;
}

/** The response of a query or mutation. */
export interface Response<Data> {
  readonly data: Data;
  /** The errors of fields that are null for this reason; usually empty. */
  readonly errors: readonly GraphQLFormattedError[];
}

/** The options of a live query, with the types of the items of its changes. */
export type LiveQueryArguments<Data, Changes extends readonly Change[]> = Omit<LiveQueryOptions<Data, ChangedBy<Changes>>, 'changes'> & {
  changes: Changes | ((data: Data) => Changes);
};

/** A client of one server. */
export interface Client {
  /** Sends a query or mutation once. It fails with a ConvokeError when the response has no data; wrong input is in `userErrors` of the data. */
  request<Data, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    ...more: [...VariablesOf<Variables>, ...([] | [options: { signal?: AbortSignal | undefined }])]
  ): Promise<Response<Data>>;
  /** Starts a subscription that carries its cursor over every reconnect. It can do so when the document selects `cursor`. */
  subscribe<Data, Variables = Record<string, unknown>>(
    document: Document<Data, Variables>,
    variables: Variables,
    options?: SubscriptionOptions<Data>,
  ): Subscription<Data>;
  /** Reads a list that selects `eventCursor`, and follows its changes without a gap. */
  liveQuery<Data, Variables, const Changes extends readonly Change[]>(
    document: Document<Data, Variables>,
    variables: Variables,
    options: LiveQueryArguments<Data, Changes>,
  ): LiveQuery<Data, ChangedBy<Changes>>;
  /** Stops everything that runs, and closes all connections. */
  close(): void;
}

/** Makes a client. It connects when it is first used. */
export function createClient(options: ClientOptions): Client {
  const clock = options.clock ?? systemClock;
  const backoff = { ...defaultBackoff, ...options.backoff };
  const { token } = options;
  const connection: Connection = {
    url: options.url,
    authorization: async () => {
      const value = typeof token === 'function' ? await token() : token;
      return value ? `Bearer ${value}` : undefined;
    },
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    credentials: options.credentials,
    clock,
  };
  let transport: Transport | undefined;
  const live = () => {
    if (!options.live) throw new TypeError('The client has no "live" transport: pass webSocket() of @convoke/client/ws or eventStream() of @convoke/client/sse.');
    return (transport ??= options.live(connection));
  };
  const running = new Set<{ stop(): void }>();
  const track = <T extends { stop(): void; done: Promise<void> }>(started: T): T => {
    running.add(started);
    const ended = () => running.delete(started);
    started.done.then(ended, ended);
    return started;
  };
  const request = async <Data>(document: Document<Data, never>, variables: unknown, signal?: AbortSignal): Promise<Response<Data>> => {
    const result = await send(connection, { ...operationOf(document), variables: (variables ?? {}) as Record<string, unknown> }, signal);
    return { data: result.data as Data, errors: result.errors ?? [] };
  };
  const subscribe = <Data>(document: Document<Data, never>, variables: unknown, options: SubscriptionOptions<Data>) =>
    track(new Subscription<Data>(planOf(document), variables as Record<string, unknown>, live(), { clock, backoff }, options));
  return {
    request: (document, ...more) => {
      const [variables, options] = more as [unknown?, { signal?: AbortSignal }?];
      return request(document, variables, options?.signal);
    },
    subscribe: (document, variables, options = {}) => subscribe(document, variables, options),
    liveQuery: (document, variables, options) =>
      track(
        new LiveQuery(
          {
            read: (signal) => request(document, variables, signal),
            subscribe: (change, after, options) => {
              const name = planOf(change.document).after;
              if (name === undefined) throw new TypeError('The subscription of a live query must select "cursor".');
              return subscribe(change.document, { ...change.variables, [name]: after }, options);
            },
            clock,
            backoff,
          },
          options,
        ),
      ),
    close: () => {
      for (const r of [...running]) r.stop();
      transport?.close();
      transport = undefined;
    },
  };
}
