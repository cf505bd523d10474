// Compares the schema with each of its earlier versions in the history of this repository,
// and ends with 1 when a change breaks clients and the changelog does not allow it.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { allowedSince, breaking } from "./compare.mjs";

const here = import.meta.dirname;
const git = (...args) => execFileSync("git", args, { cwd: here, encoding: "utf8", maxBuffer: 64 << 20 });

const now = readFileSync(`${here}/schema.graphql`, "utf8");
const changelog = readFileSync(`${here}/../../CHANGELOG.md`, "utf8");
const versions = git("log", "--format=%h", "--", "schema.graphql").split("\n").filter(Boolean);
const since = new Map();
for (const version of versions.reverse()) {
  const before = git("show", `${version}:./schema.graphql`);
  const allow = allowedSince(git("show", `${version}:CHANGELOG.md`), changelog);
  for (const { path, message } of await breaking(before, now)) {
    if (!allow.has(path) && !since.has(message)) since.set(message, { path, version });
  }
}
for (const [message, { path, version }] of since) console.error(`${path}: ${message} (since ${version})`);
if (since.size > 0) {
  console.error(
    `\n${since.size} breaking changes of the schema. Deprecate instead, or allow each in CHANGELOG.md, under "Schema":\n` +
      "- Breaking: `Type.field` was removed, because …",
  );
  process.exit(1);
}
console.log(`The schema breaks no client of its ${versions.length} versions.`);
