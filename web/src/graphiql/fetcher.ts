import { createGraphiQLFetcher, type Fetcher, type FetcherOpts } from '@graphiql/toolkit';
import { createClient } from 'graphql-ws';

const endpoint = '/graphql';

/**
 * Sends queries and mutations by POST and subscriptions by WebSocket, all to the server of this page.
 *
 * Every subscription has a socket of its own, because a socket is authenticated when it opens: one that was opened before a
 * sign-in would stay anonymous. The socket does not reconnect by itself, because without a cursor it would skip events
 * silently.
 *
 * After a sign-in or a sign-out it calls onSession.
 */
export const fetcherOf = (onSession: () => void): Fetcher => async (params, options) => {
  const wsClient = createClient({
    url: socketURL(),
    connectionParams: connectionParams(options?.headers),
    lazy: true,
    retryAttempts: 0,
  });
  const result = await createGraphiQLFetcher({ url: endpoint, wsClient, enableIncrementalDelivery: false })(params, options);
  if (changesSession(result)) {
    onSession();
  }
  return result;
};

function changesSession(result: object): boolean {
  const { data } = result as { data?: { signIn?: { viewer?: object | null }; signOut?: object } };
  return Boolean(data?.signIn?.viewer || data?.signOut);
}

function socketURL(): string {
  const url = new URL(endpoint, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** A browser cannot set headers of a socket, so the Authorization header of the headers editor is sent in connection_init. */
function connectionParams(headers: FetcherOpts['headers']): { authorization: string } | undefined {
  const header = Object.entries(headers ?? {}).find(([name]) => name.toLowerCase() === 'authorization');
  return header ? { authorization: String(header[1]) } : undefined;
}
