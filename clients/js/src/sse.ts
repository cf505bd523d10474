import { createClient, TOKEN_HEADER_KEY } from 'graphql-sse';
import { ConvokeError, fromThrown } from './error.js';
import { failureOf, resultIn } from './http.js';
import type { Connect, Connection, Sink } from './transport.js';

export interface EventStreamOptions {
  /** The address; by default that of the client. */
  url?: string;
  /**
   * Whether all subscriptions share one stream. Browsers open at most six connections to a server
   * over HTTP/1.1, so a page with several subscriptions needs it there.
   */
  singleConnection?: boolean;
  /** How long a stream may be silent, in milliseconds, before it counts as broken. The server sends a comment every 20 seconds. */
  silentWithin?: number;
}

/** Carries subscriptions over server-sent events, by the protocol of graphql-sse. */
export function eventStream(options: EventStreamOptions = {}): Connect {
  const { singleConnection = false, silentWithin = 45_000 } = options;
  return (connection) => {
    const running = new Set<Sink>();
    let open = false;
    const client = createClient<boolean>({
      url: options.url ?? connection.url,
      singleConnection,
      retryAttempts: 0,
      ...(connection.credentials && { credentials: connection.credentials }),
      headers: async (): Promise<Record<string, string>> => {
        const authorization = await connection.authorization();
        return authorization === undefined ? {} : { authorization };
      },
      fetchFn: watchedFetch(connection, silentWithin),
      on: {
        connected: () => {
          if (!singleConnection) return;
          open = true;
          for (const sink of running) sink.live();
        },
      },
    });
    return {
      subscribe(request, sink) {
        running.add(sink);
        const stop = client.subscribe(
          { query: request.query, ...(request.operationName && { operationName: request.operationName }), variables: request.variables },
          {
            next: (result) => sink.next(result),
            error: (thrown) => {
              open = false;
              running.delete(sink);
              sink.error(fromStream(thrown));
            },
            complete: () => {
              running.delete(sink);
              sink.complete();
            },
          },
          { connected: () => sink.live() },
        );
        if (singleConnection && open) queueMicrotask(() => running.has(sink) && sink.live());
        return () => {
          running.delete(sink);
          if (running.size === 0) open = false; // graphql-sse closes a stream without subscriptions
          stop();
        };
      },
      close: () => client.dispose(),
    };
  };
}

/** What `watchedFetch` returns: as much of a Response as graphql-sse reads. */
interface Watched {
  ok: boolean;
  status: number;
  statusText: string;
  text?: () => Promise<string>;
  body?: AsyncIterable<Uint8Array>;
  failure?: ConvokeError;
}

/**
 * Returns a fetch that keeps the error in a response that is no stream, and whose streams fail
 * when they are silent for too long. They also fail when they end, because graphql-sse does not always
 * notice the end of a stream. It does not read on after `complete`.
 */
function watchedFetch(connection: Connection, silentWithin: number) {
  return async (url: string, init: RequestInit): Promise<Watched> => {
    const response = await connection.fetch(url, init);
    const { ok, status, statusText } = response;
    const streams = new Headers(init.headers).get('accept') === 'text/event-stream';
    if (ok && !streams) return { ok, status, statusText, text: () => response.text() };
    if (ok && response.body && (response.headers.get('Content-Type') ?? '').startsWith('text/event-stream'))
      return { ok, status, statusText, body: watched(response.body, connection, silentWithin, init.signal) };
    const refused = failureOf(response, resultIn(await response.text()));
    // The shared stream that the request was for has ended, or is another's: the next attempt reserves one of its own.
    const stale = new Headers(init.headers).has(TOKEN_HEADER_KEY) && (status === 404 || status === 409);
    const failure = stale ? new ConvokeError('NETWORK', refused.message, { cause: refused }) : refused;
    return { ok: false, status, statusText, failure };
  };
}

async function* watched(body: ReadableStream<Uint8Array>, connection: Connection, silentWithin: number, signal?: AbortSignal | null): AsyncGenerator<Uint8Array> {
  const { clock } = connection;
  const reader = body.getReader();
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    reader.cancel().catch(() => {}); // it ends the read that waits; the stream itself may have failed before
  };
  // Node does not end a read when the request is aborted and nobody holds the response any more.
  const abort = () => fail(new Error('The stream was stopped.'));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort);
  let timeout: unknown;
  try {
    for (;;) {
      timeout = clock.setTimeout(() => fail(new Error('The stream is silent.')), silentWithin);
      const { done, value } = await reader.read();
      clock.clearTimeout(timeout);
      if (done) throw failure ?? new Error('The stream ended.');
      yield value;
    }
  } finally {
    clock.clearTimeout(timeout);
    signal?.removeEventListener('abort', abort);
    reader.cancel().catch(() => {}); // the stream may have failed before
  }
}

/** Returns the error for what graphql-sse reports: the failure that `watchedFetch` kept, or anything that was thrown. */
function fromStream(reported: unknown): ConvokeError {
  const failure = (reported as { response?: Watched } | undefined)?.response?.failure;
  return failure ?? fromThrown(reported);
}
