// The rules of the guard: which changes break clients, and which of them the changelog allows.
import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

/**
 * The changes from one schema to another that break a client: its operations become
 * invalid, or get values that it does not expect.
 * @param {string} before the SDL that clients were written for
 * @param {string} now the SDL of this commit
 * @returns {Promise<{path: string, message: string}[]>}
 */
export async function breaking(before, now) {
  const changes = await diff(buildSchema(before), buildSchema(now));
  return changes
    .filter((change) => change.criticality.level === CriticalityLevel.Breaking)
    .map(({ path, message }) => ({ path, message }));
}

/**
 * The paths that the changelog allows to break: those in backticks in each list item that
 * begins with "Breaking:", in every version of the changelog.
 * @param {string} changelog
 * @returns {Set<string>}
 */
export function allowed(changelog) {
  const items = changelog.split(/^- /m).filter((item) => item.startsWith("Breaking:"));
  return new Set(items.flatMap((item) => [...item.split(/\n(?=\n|#)/)[0].matchAll(/`([\w.@]+)`/g)].map((m) => m[1])));
}

/**
 * The paths that the changelog has allowed to break since an earlier version of it. What was
 * allowed before is not allowed again.
 * @param {string} before
 * @param {string} now
 * @returns {Set<string>}
 */
export function allowedSince(before, now) {
  const earlier = allowed(before);
  return new Set([...allowed(now)].filter((path) => !earlier.has(path)));
}
