import { defineConfig } from 'vite';

// The pages are named by the server's routes: "/accept" is accept.html, and so on. What they load lies under /assets,
// with a hash of its content in the name, so that two builds of the same source are the same files.
export default defineConfig({
  build: {
    target: 'es2022',
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000, // Monaco, which only GraphiQL loads
    license: { fileName: 'assets/licenses.md' },
    rolldownOptions: {
      input: ['index.html', 'accept.html', 'verify.html', 'reset.html', 'mailbox.html', 'graphiql.html'],
      // "use client" means nothing here: there is no server rendering.
      onLog(level, log, handle) {
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') {
          handle(level, log);
        }
      },
    },
  },
});
