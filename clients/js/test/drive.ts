// Follows one subscription for server/convokeclient_test.go, and tells what it does: one JSON value a line.
//
//     node drive.js ws|sse URL TOKEN    with {"query", "variables", "list"} as JSON in the first line of stdin
//
// "list" is a query with the same variables that selects team.eventCursor. The end of stdin stops the subscription.
import { createInterface } from 'node:readline';
import WebSocket from 'ws';
import { createClient } from '@convoke/client';
import { eventStream } from '@convoke/client/sse';
import { webSocket } from '@convoke/client/ws';

const [kind, url = '', token] = process.argv.slice(2);
const tell = (what: object) => process.stdout.write(JSON.stringify(what) + '\n');
const client = createClient({
  url,
  token,
  live: kind === 'ws' ? webSocket({ webSocketImpl: WebSocket }) : eventStream(),
  backoff: { first: 40, most: 200 },
});

const lines = createInterface({ input: process.stdin });
lines.on('close', () => client.close());
lines.once('line', (line) => {
  const { query, variables, list } = JSON.parse(line) as { query: string; variables: Record<string, unknown>; list: string };
  client.subscribe(query, variables, {
    next: (item) => tell({ item: item.data }),
    onStatus: (status) => {
      if (status.state === 'reconnecting') tell({ status: status.state, code: status.reason.code });
      else if (status.state === 'ended') {
        tell({ ended: status.reason === 'error' ? status.error.code : status.reason });
        lines.close();
      } else tell({ status: status.state });
    },
    refetch: async (reason) => {
      const { data } = await client.request<{ team: { eventCursor: string } }>(list, variables);
      tell({ refetched: reason });
      return data.team.eventCursor;
    },
  });
});
