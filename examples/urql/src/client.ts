import { createClient } from 'graphql-sse';
import { Client, fetchExchange, subscriptionExchange } from 'urql';
import { cache } from './cache';

const events = createClient({ url: '/graphql', retryAttempts: Infinity });

export const client = new Client({
  url: '/graphql',
  exchanges: [cache, fetchExchange, subscriptionExchange({ forwardSubscription: follow })],
});

/** Sends a subscription over server-sent events. After a break it goes on behind the last change that came. */
function follow({ query = '', variables = {} }: { query?: string; variables?: Record<string, unknown> }) {
  const request = { query, variables: { ...variables } };
  return {
    subscribe: (sink: { next: (result: any) => void; error: (error: unknown) => void; complete: () => void }) => ({
      unsubscribe: events.subscribe<Record<string, { cursor?: string }>>(request, {
        ...sink,
        next(result) {
          for (const change of Object.values(result.data ?? {})) {
            request.variables.after = change.cursor;
          }
          sink.next(result);
        },
      }),
    }),
  };
}
