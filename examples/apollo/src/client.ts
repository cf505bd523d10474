import { ApolloClient, ApolloLink, HttpLink } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import { tap } from 'rxjs';
import { cache } from './cache';

const socket = new GraphQLWsLink(createClient({ url: '/graphql', retryAttempts: Infinity, shouldRetry: () => true }));

/** Keeps the cursor of the last change in the variables. After a break the socket sends them again, and goes on behind that change. */
const cursor = new ApolloLink((operation, forward) =>
  forward(operation).pipe(
    tap(({ data }) => {
      for (const change of Object.values((data ?? {}) as Record<string, { cursor?: string }>)) {
        operation.variables.after = change.cursor;
      }
    }),
  ),
);

export const client = new ApolloClient({
  cache,
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    ApolloLink.from([cursor, socket]),
    new HttpLink({ uri: '/graphql' }),
  ),
});
