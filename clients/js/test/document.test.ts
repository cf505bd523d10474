import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parse, print } from 'graphql';
import { ConvokeError, createClient } from '@convoke/client';
import { FakeClock, FakeTransport, settled } from './kit.js';

async function sent(document: string, variables: Record<string, unknown> = {}) {
  const transport = new FakeTransport();
  const clock = new FakeClock();
  const client = createClient({ url: 'http://x.test/graphql', live: () => transport, clock });
  const subscription = client.subscribe(document, variables, { next: () => {} });
  await settled();
  return { clock, transport, subscription, query: transport.last.request.query };
}
const same = (got: string, want: string) => assert.equal(print(parse(got)), print(parse(want)));

describe('the document of a subscription', () => {
  it('gets the argument "after"', async () => {
    const s = await sent('subscription S($t: ID!) { membersChanged(teamId: $t) { cursor } }', { t: 't1', after: 'c1' });
    same(s.query, 'subscription S($t: ID!, $after: EventCursor) { membersChanged(teamId: $t, after: $after) { cursor } }');
    assert.deepEqual(s.transport.last.request.variables, { t: 't1', after: 'c1' });
    assert.equal(s.transport.last.request.operationName, 'S');
  });
  it('keeps its own variable', async () => {
    const s = await sent('subscription($from: EventCursor) { membersChanged(teamId: 1, after: $from) { cursor } }', { from: 'c1' });
    s.transport.item(2);
    s.transport.fail(new ConvokeError('NETWORK', 'The connection broke.'));
    await s.clock.advance(1000);
    assert.deepEqual(s.transport.last.request.variables, { from: 'c2' });
  });
  it('has its cursor under other names and in fragments', async () => {
    const s = await sent('subscription { m: membersChanged(teamId: 1) { ...F } } fragment F on MembersChange { ... on MembersChange { at: cursor } }');
    s.transport.last.sink.next({ data: { m: { at: 'c3' } } });
    assert.equal(s.subscription.cursor, 'c3');
  });
  it('stays as it is without a cursor', async () => {
    same((await sent('subscription { viewerAccessChanged { type } }')).query, 'subscription { viewerAccessChanged { type } }');
  });
  it('is refused when it cannot resume by mistake', async () => {
    await assert.rejects(sent('subscription { membersChanged(after: "c1") { cursor } }'), TypeError);
    await assert.rejects(sent('subscription($after: Int) { membersChanged(teamId: $after) { cursor } }'), TypeError);
    await assert.rejects(sent('query { a }'), TypeError);
    await assert.rejects(sent('subscription A { a } subscription B { b }'), TypeError);
  });
});
