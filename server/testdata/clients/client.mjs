// Runs one operation with the client that dashboards use, and tells what it heard: one JSON value a line.
//
//     node client.mjs ws|sse|one URL TOKEN    with the request as JSON in the first line of stdin; "stop" in another one ends it
//
// ws is graphql-ws, sse is graphql-sse, and one is graphql-sse in its single connection mode. After a break the client comes back by itself, from
// the cursor it saw last: by Last-Event-ID with sse, where an operation has a stream of its own, and otherwise by `after`.
import readline from 'node:readline';
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [kind, url, token] = process.argv.slice(2);
const authorization = `Bearer ${token}`;
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');
const quickly = () => new Promise((resolve) => setTimeout(resolve, 50));
let cursor;

const client = {
  ws: () =>
    overSocket({
      url: url.replace(/^http/, 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { authorization },
      retryWait: quickly,
      on: {
        connected: (socket, payload, again) => tell({ connected: again }),
        closed: (event) => tell({ closed: event.code, reason: event.reason }),
        ping: (received) => received && tell({ ping: true }),
      },
    }),
  sse: () =>
    overEvents({
      url,
      headers: () => (cursor ? { authorization, 'Last-Event-ID': cursor } : { authorization }),
      retry: quickly,
      on: { connected: (again) => tell({ connected: again }) },
    }),
  one: () =>
    overEvents({
      url,
      singleConnection: true,
      headers: () => ({ authorization }),
      retry: quickly,
      on: { connected: (again) => tell({ connected: again }) },
    }),
}[kind]();

let stop;
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line === 'stop') {
    stop();
    return;
  }
  const request = JSON.parse(line);
  stop = client.subscribe(request, {
    next: (answer) => {
      const at = Object.values(answer.data ?? {})[0]?.cursor;
      if (at) {
        cursor = at;
        if (kind !== 'sse') request.variables.after = at;
      }
      tell({ next: answer });
    },
    error: (error) => finish({ error: Array.isArray(error) ? error : { code: error.code, message: error.message ?? error.reason } }),
    complete: () => finish({ complete: true }),
  });
});

function finish(what) {
  tell(what);
  lines.close();
  client.dispose();
}
