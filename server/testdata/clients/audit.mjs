// Runs every audit of graphql-http against a server, and tells one JSON value a line: {"audit", "name", "status", "reason"}.
//
//     node audit.mjs URL
import { auditServer } from 'graphql-http';

const [url] = process.argv.slice(2);
for (const result of await auditServer({ url })) {
  process.stdout.write(JSON.stringify({ audit: result.id, name: result.name, status: result.status, reason: result.reason }) + '\n');
}
