// Runs operations with a client that dashboards use over HTTP, and tells what it sent and got: one JSON value a line.
//
//     node http.mjs urql|urql-persisted|apollo|apollo-persisted URL TOKEN    with one request as JSON in each line of stdin
//
// The clients have their default settings. TOKEN may be empty.
import readline from 'node:readline';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';
import { createHash } from 'node:crypto';
import { parse } from 'graphql';

const [kind, url, token] = process.argv.slice(2);
const headers = token ? { authorization: `Bearer ${token}` } : {};
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');

async function telling(at, init) {
  const response = await fetch(at, init);
  const text = init.body ?? decodeURIComponent(new URL(at).search);
  tell({
    sent: init.method ?? 'GET',
    text: /[{[?&"]query["=]/.test(text),
    hash: text.includes('sha256Hash'),
    status: response.status,
    type: response.headers.get('content-type'),
  });
  return response;
}

const persisted = kind.endsWith('-persisted');

function urql() {
  const exchanges = persisted ? [persistedExchange(), fetchExchange] : [fetchExchange];
  const client = new Client({ url, exchanges, fetch: telling, fetchOptions: { headers }, fetchSubscriptions: true, requestPolicy: 'network-only' });
  const result = ({ data, error }) => ({ data, error: error && { codes: error.graphQLErrors.map((e) => e.extensions.code), network: error.networkError?.message } });
  return (document, variables) => {
    const operation = parse(document).definitions[0].operation;
    if (operation !== 'subscription') {
      return client[operation](document, variables).toPromise().then(result);
    }
    return new Promise((resolve) => {
      const running = client.subscription(document, variables).subscribe((got) => {
        resolve(result(got));
        setImmediate(() => running.unsubscribe());
      });
    });
  };
}

function apollo() {
  const sha256 = (text) => createHash('sha256').update(text).digest('hex');
  const http = new HttpLink({ uri: url, fetch: telling, headers });
  const link = persisted ? ApolloLink.from([new PersistedQueryLink({ sha256 }), http]) : http;
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const run = (document, variables) =>
    parse(document).definitions[0].operation === 'mutation'
      ? client.mutate({ mutation: gql(document), variables, errorPolicy: 'all' })
      : client.query({ query: gql(document), variables, errorPolicy: 'all', fetchPolicy: 'network-only' });
  return async (document, variables) => {
    const { data, error } = await run(document, variables);
    return { data, error: error && { codes: error.errors?.map((e) => e.extensions.code), network: error.errors ? undefined : error.message } };
  };
}

const run = kind.startsWith('urql') ? urql() : apollo();
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { query, variables } = JSON.parse(line);
  tell({ got: await run(query, variables) });
}
