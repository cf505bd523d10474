import { createClient } from 'graphql-ws';
import { Environment, Network, Observable, RecordSource, Store, type FetchFunction, type GraphQLResponse, type SubscribeFunction } from 'relay-runtime';

const socket = createClient({ url: '/graphql', retryAttempts: Infinity, shouldRetry: () => true });

const fetchQuery: FetchFunction = async ({ text }, variables) => {
  const response = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/graphql-response+json, application/json' },
    body: JSON.stringify({ query: text, variables }),
  });
  return response.json();
};

/** Sends a subscription. After a break it goes on behind the last change that came. */
const subscribe: SubscribeFunction = ({ text }, variables) =>
  Observable.create<GraphQLResponse>((sink) => {
    const request = { query: text!, variables: { ...variables } };
    return socket.subscribe<Record<string, { cursor?: string }>>(request, {
      next(result) {
        for (const change of Object.values(result.data ?? {})) {
          request.variables.after = change.cursor;
        }
        sink.next(result as GraphQLResponse);
      },
      error: (error) => sink.error(error instanceof Error ? error : new Error(Array.isArray(error) ? error[0].message : 'the connection was closed')),
      complete: () => sink.complete(),
    });
  });

export const environment = new Environment({
  network: Network.create(fetchQuery, subscribe),
  store: new Store(new RecordSource()),
});
