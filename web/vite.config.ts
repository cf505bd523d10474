import { defineConfig } from 'vite';

// The pages have the names of the server's routes: "/accept" is accept.html, and so on. Their files are under /assets. A
// file's name contains a hash of its content, so that two builds of the same source produce the same files.
export default defineConfig({
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000, // Monaco, which only GraphiQL loads
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: {
      input: ['index.html', 'accept.html', 'verify.html', 'reset.html', 'mailbox.html', 'graphiql.html'],
      // "use client" has no effect, because there is no server rendering.
      onLog(level, log, handle) {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') {
          handle(level, log);
        }
      },
    },
  },
});
