// Writes src/documents.ts from src/documents/*.graphql and the schema of this repository. With --check it writes
// nothing, and fails when the file is not up to date.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from '@graphql-codegen/cli';

const schema = process.env.CONVOKE_SCHEMA ?? new URL('../../../graph/schema', import.meta.url).pathname;
const target = new URL('../src/documents.ts', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'convoke-documents-'));

try {
  await generate(
    {
      schema: `${schema}/*.graphqls`,
      documents: new URL('../src/documents/*.graphql', import.meta.url).pathname,
      silent: true,
      errorsOnly: true,
      generates: {
        [`${folder}/`]: {
          preset: 'client',
          presetConfig: { fragmentMasking: false },
          config: {
            strictScalars: true,
            useTypeImports: true,
            enumsAsTypes: true,
            skipTypename: true,
            nonOptionalTypename: false,
            scalars: { ID: 'string', DateTime: 'string', EmailAddress: 'string', EventCursor: 'string', PermissionKey: 'string' },
          },
        },
      },
    },
    true,
  );
  const generated = readFileSync(join(folder, 'graphql.ts'), 'utf8');
  // The package has its own type of documents, which needs no dependency.
  const imported = /import (?:type )?\{ TypedDocumentNode as DocumentNode \} from '@graphql-typed-document-node\/core';\n/;
  if (!imported.test(generated)) throw new Error('The generated file does not import the type of documents: the generator has changed.');
  const text =
    '// Written by scripts/generate.mjs from src/documents/*.graphql.\n' +
    generated.replace('/* eslint-disable */\n', '').replace(imported, "import type { TypedDocument as DocumentNode } from './document.js';\n");
  if (!process.argv.includes('--check')) writeFileSync(target, text);
  else if (readFileSync(target, 'utf8') !== text) {
    console.error('src/documents.ts is out of date: run npm run generate in clients/js, and commit the result.');
    process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true });
}
