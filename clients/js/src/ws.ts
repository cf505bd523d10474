import { createClient } from 'graphql-ws';
import type { ClientOptions } from 'graphql-ws';
import { ConvokeError, fromErrors, fromThrown } from './error.js';
import type { Connect, Sink } from './transport.js';

export interface WebSocketOptions {
  /** The address; by default that of the client, with `ws` instead of `http`. */
  url?: string;
  /** The class of sockets, where there is no global `WebSocket`: `ws` of npm in Node 20. */
  webSocketImpl?: ClientOptions['webSocketImpl'];
  /** How often the socket is pinged, in milliseconds. */
  pingEvery?: number;
  /** How long a ping may stay without a reply, in milliseconds. Then the socket counts as broken. */
  pongWithin?: number;
  /** How long a socket without subscriptions stays open, in milliseconds. */
  idle?: number;
}

const CLOSE_CODES: Readonly<Record<number, string>> = {
  1002: 'BAD_RESPONSE', // protocol error
  1003: 'BAD_RESPONSE', // unsupported data
  1007: 'BAD_RESPONSE', // not UTF-8
  1008: 'FORBIDDEN', // policy violation
  1009: 'BAD_RESPONSE', // message too big
  4004: 'BAD_RESPONSE', // the client did not understand a message
  4005: 'BAD_RESPONSE', // the client failed
  4400: 'BAD_RESPONSE', // bad request
  4401: 'UNAUTHENTICATED',
  4403: 'UNAUTHENTICATED', // the token was refused
  4406: 'BAD_RESPONSE', // no such subprotocol
  4409: 'BAD_RESPONSE', // the id of the operation is in use
  4429: 'RATE_LIMITED',
};

/** Carries all subscriptions over one WebSocket, by the protocol graphql-transport-ws. */
export function webSocket(options: WebSocketOptions = {}): Connect {
  const { pingEvery = 15_000, pongWithin = 10_000, idle = 3_000 } = options;
  return (connection) => {
    const running = new Set<{ sink: Sink; stop: () => void }>();
    let open = false;
    let waiting: unknown;
    const alive = () => connection.clock.clearTimeout(waiting);
    const client = createClient({
      url: options.url ?? socketUrl(connection.url),
      webSocketImpl: options.webSocketImpl,
      connectionParams: async () => {
        const authorization = await connection.authorization();
        return authorization === undefined ? undefined : { authorization };
      },
      retryAttempts: 0,
      shouldRetry: () => false,
      lazyCloseTimeout: idle,
      keepAlive: pingEvery,
      on: {
        connected: () => {
          open = true;
          for (const { sink } of running) sink.live();
        },
        ping: (received) => {
          if (received) return;
          alive();
          waiting = connection.clock.setTimeout(() => client.terminate(), pongWithin);
        },
        message: alive,
        error: () => {
          open = false;
          alive();
        },
        closed: (event) => {
          open = false;
          alive();
          // graphql-ws itself opens a new socket after a normal closure, and reports nothing.
          if ((event as { code?: number } | undefined)?.code !== 1000) return;
          for (const { sink, stop } of [...running]) {
            stop();
            sink.error(new ConvokeError('NETWORK', 'The server closed the socket.'));
          }
        },
      },
    });
    return {
      subscribe(request, sink) {
        const attempt = { sink, stop: () => {} };
        const end = client.subscribe(
          { query: request.query, operationName: request.operationName, variables: request.variables },
          {
            next: (result) => sink.next(result),
            error: (thrown) => {
              running.delete(attempt);
              sink.error(fromSocket(thrown));
            },
            complete: () => {
              running.delete(attempt);
              sink.complete();
            },
          },
        );
        attempt.stop = () => {
          running.delete(attempt);
          end();
        };
        running.add(attempt);
        if (open) queueMicrotask(() => running.has(attempt) && sink.live());
        return attempt.stop;
      },
      close: () => {
        alive();
        void client.dispose();
      },
    };
  };
}

function socketUrl(url: string): string {
  const base = (globalThis as { location?: { href: string } }).location?.href;
  return new URL(url, base).href.replace(/^http/, 'ws');
}

/** Returns the error for what graphql-ws reports: GraphQL errors, a close event, or anything that was thrown. */
function fromSocket(reported: unknown): ConvokeError {
  if (Array.isArray(reported)) return fromErrors(reported);
  if (typeof reported === 'object' && reported !== null && 'code' in reported && 'reason' in reported) {
    const { code, reason } = reported as { code: number; reason: string };
    return new ConvokeError(CLOSE_CODES[code] ?? 'NETWORK', reason || `The socket was closed with ${code}.`, { cause: reported });
  }
  return fromThrown(reported);
}
