// Fails when the package would hold what does not belong, or lacks what its exports name.
import { execFileSync } from 'node:child_process';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { readFileSync } from 'node:fs';

const expected = /^(package\.json|README\.md|LICENSE|src\/[\w/-]+\.(ts|graphql)|dist\/[\w/-]+\.(js|js\.map|d\.ts|d\.ts\.map))$/;
const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' }));
const names = files.map((f) => f.path);
const problems = names.filter((n) => !expected.test(n)).map((n) => `${n} does not belong into the package`);
for (const n of ['README.md', 'LICENSE', 'dist/index.js']) if (!names.includes(n)) problems.push(`${n} is missing`);

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const { messages } = await publint({ strict: true });
problems.push(...messages.map((m) => formatMessage(m, manifest)));

for (const p of problems) console.error(p);
console.log(`${names.length} files`);
process.exit(problems.length > 0 ? 1 : 0);
