// Runs many subscriptions at once with graphql-sse in its single connection mode, and tells what it sent and heard: one JSON value a line.
//
//     node many.mjs URL TOKEN    with {"name": …, "query": …, "variables": …} in each line of stdin, or {"stop": name}
//
// After a break each subscription comes back by itself, from the cursor that it saw last.
import readline from 'node:readline';
import { createClient } from 'graphql-sse';

const [url, token] = process.argv.slice(2);
const tell = (what) => process.stdout.write(JSON.stringify(what) + '\n');

const client = createClient({
  url,
  singleConnection: true,
  headers: () => ({ authorization: `Bearer ${token}` }),
  retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
  fetchFn: async (at, init) => {
    const response = await fetch(at, init);
    tell({ sent: init.method, status: response.status });
    return response;
  },
});

const stops = new Map();
const lines = readline.createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { name, stop, ...request } = JSON.parse(line);
  if (stop) {
    stops.get(stop)();
    return;
  }
  stops.set(
    name,
    client.subscribe(request, {
      next: (answer) => {
        request.variables.after = Object.values(answer.data ?? {})[0]?.cursor;
        tell({ next: name, answer });
      },
      error: (error) => tell({ error: name, message: error.message }),
      complete: () => tell({ complete: name }),
    }),
  );
});
lines.on('close', () => client.dispose());
