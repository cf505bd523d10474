import { defineConfig, type Plugin } from 'vite';

/**
 * Writes documents.json: the GraphQL documents of the pages by file and name. A server that executes only the documents
 * of manifests executes these, too. GraphiQL sends what its user types, so its documents are not among them.
 */
function manifest(): Plugin {
  const documents = new Map<string, string>();
  return {
    name: 'manifest',
    enforce: 'pre',
    transform(code, id) {
      if (id.includes('/node_modules/') || id.includes('/src/graphiql/')) {
        return;
      }
      for (const [, name, text] of code.matchAll(/const (\w+) = \/\* GraphQL \*\/ `([^`]*)`/g)) {
        if (/\\|\$\{/.test(text!)) {
          this.error(`A document of ${id} is put together when it is sent. Write it as one text.`);
        }
        documents.set(`${id.split('/src/')[1]}#${name}`, text!);
      }
    },
    generateBundle() {
      const sorted = Object.fromEntries([...documents].sort());
      this.emitFile({ type: 'asset', fileName: 'documents.json', source: JSON.stringify(sorted, null, 2) + '\n' });
    },
  };
}

// The pages have the names of the server's routes: "/accept" is accept.html, and so on. Their files are under /assets. A
// file's name contains a hash of its content, so that two builds of the same source produce the same files.
export default defineConfig({
  plugins: [manifest()],
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000, // Monaco, which only GraphiQL loads
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: {
      input: ['index.html', 'accept.html', 'verify.html', 'reset.html', 'address.html', 'mailbox.html', 'graphiql.html'],
      // "use client" has no effect, because there is no server rendering.
      onLog(level, log, handle) {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') {
          handle(level, log);
        }
      },
    },
  },
});
