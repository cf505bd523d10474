import assert from "node:assert/strict";
import { test } from "node:test";
import { allowed, allowedSince, breaking } from "./compare.mjs";

const before = `
  type Query { viewer: User  people(first: Int): [User!]  old: Int @deprecated(reason: "Use people.") }
  type User { id: ID!  name: String!  status: Status! }
  enum Status { ACTIVE INVITED }
  input Invite { email: String!  note: String }
  type Mutation { invite(input: Invite!): User }
`;

for (const [name, from, to, path] of [
  ["a field is removed", "name: String!", "", "User.name"],
  ["a deprecated field is removed", 'old: Int @deprecated(reason: "Use people.")', "", "Query.old"],
  ["a field becomes nullable", "name: String!", "name: String", "User.name"],
  ["a field gets another type", "name: String!", "name: Int!", "User.name"],
  ["an argument becomes required", "first: Int", "first: Int!", "Query.people.first"],
  ["an argument is removed", "people(first: Int)", "people", "Query.people.first"],
  ["an input field is added that is required", "note: String", "note: String  role: ID!", "Invite.role"],
  ["an enum value is removed", "ACTIVE INVITED", "ACTIVE", "Status.INVITED"],
]) {
  test(`breaking: ${name}`, async () => {
    const found = await breaking(before, before.replace(from, to));
    assert.deepEqual(found.map((change) => change.path), [path]);
  });
}

for (const [name, from, to] of [
  ["a field is added", "name: String!", "name: String!  age: Int"],
  ["an optional argument is added", "first: Int", "first: Int  after: String"],
  ["an optional input field is added", "note: String", "note: String  role: ID"],
  ["a field is deprecated", "name: String!", 'name: String! @deprecated(reason: "Use id.")'],
]) {
  test(`not breaking: ${name}`, async () => {
    assert.deepEqual(await breaking(before, before.replace(from, to)), []);
  });
}

test("the changelog allows what it names, and nothing else", () => {
  const changelog = "### Schema\n\n- Breaking: `User.name` and `Query.people.first` were removed,\n  with `Status.INVITED`.\n- `User.id` is new.\n\n### Fixed\n\n- A `Query.viewer`.\n";
  assert.deepEqual([...allowed(changelog)], ["User.name", "Query.people.first", "Status.INVITED"]);
});

test("a change is allowed once, and not for ever", () => {
  const first = "- Breaking: `User.name` was removed.\n";
  const second = `${first}- Breaking: \`User.age\` was removed.\n`;
  assert.deepEqual([...allowedSince(first, second)], ["User.age"]);
});
