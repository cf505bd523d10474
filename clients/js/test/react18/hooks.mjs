// node --import ./test/react18/hooks.mjs: "react" and "react-test-renderer" are those of this folder.
import { register } from 'node:module';

register(
  'data:text/javascript,' +
    encodeURIComponent(`
      const here = ${JSON.stringify(import.meta.url)};
      export function resolve(specifier, context, next) {
        return next(specifier, /^react(-test-renderer)?$/.test(specifier) ? { ...context, parentURL: here } : context);
      }`),
);
