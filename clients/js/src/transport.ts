import type { GraphQLFormattedError } from 'graphql';
import type { Clock } from './clock.js';
import type { ConvokeError } from './error.js';

/** One attempt of an operation, as it is sent. */
export interface Request {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables: Record<string, unknown>;
}

/** One response of an operation. */
export interface Result {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFormattedError[] | undefined;
}

/** What an attempt reports. `error` or `complete` comes last, unless the attempt is stopped. */
export interface Sink {
  /** The connection is open and the operation was sent. */
  live(): void;
  next(result: Result): void;
  error(error: ConvokeError): void;
  complete(): void;
}

/**
 * Carries subscriptions. A transport does not reconnect: it reports the end of an attempt, and the
 * subscription decides what comes next.
 */
export interface Transport {
  /** Starts an attempt and returns a function that stops it. */
  subscribe(request: Request, sink: Sink): () => void;
  /** Closes all connections. */
  close(): void;
}

/** What a transport needs to know to connect. */
export interface Connection {
  readonly url: string;
  /** Returns the value of the header `Authorization`, or undefined when a cookie is sent instead. */
  authorization(): Promise<string | undefined>;
  readonly fetch: typeof fetch;
  readonly credentials: RequestCredentials | undefined;
  readonly clock: Clock;
}

/** Makes a transport. `@convoke/client/ws` and `@convoke/client/sse` have one each. */
export type Connect = (connection: Connection) => Transport;
