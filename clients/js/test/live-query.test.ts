import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { change, ConvokeError, createClient } from '@convoke/client';
import type { Change, LiveQueryOptions, Snapshot } from '@convoke/client';
import { FakeClock, FakeTransport, settled } from './kit.js';
import type { Changed } from './kit.js';

const LIST = 'query($team: ID!) { team(id: $team) { eventCursor names } }';
const FOLLOW: Change<Changed> = change<Changed, { team: string; after?: string }>(
  'subscription($team: ID!) { membersChanged(teamId: $team) { cursor n } }',
  { team: 't1' },
);

interface List {
  team: { eventCursor: string; names: string[] } | null;
}
type Answer = { data: unknown } | { errors: { message: string; extensions: { code: string } }[] } | Error;

/** A live query whose reads the test answers. */
async function list(options: Partial<LiveQueryOptions<List, Changed>> = {}, changes: readonly Change<Changed>[] = [FOLLOW]) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const reads: ((answer: Answer) => Promise<void>)[] = [];
  const client = createClient({
    url: 'http://x.test/graphql',
    live: () => transport,
    clock,
    fetch: () =>
      new Promise((resolve, reject) =>
        reads.push(async (answer) => {
          if (answer instanceof Error) reject(answer);
          else resolve(new Response(JSON.stringify(answer)));
          await settled();
        }),
      ),
  });
  const shown: Snapshot<List, Changed>[] = [];
  const query = client.liveQuery(LIST as unknown as never, { team: 't1' }, { next: (s: Snapshot<List, Changed>) => void shown.push(s), ...options, changes } as never);
  await settled();
  const read = async (answer: Answer) => {
    const next = reads.shift();
    if (!next) throw new Error('got no read, want one');
    await next(answer);
  };
  const names = () => shown.map((s) => s.data.team?.names.join('') ?? '-');
  return { clock, transport, client, query, shown, names, read, reads };
}
const team = (cursor: string, ...names: string[]) => ({ data: { team: { eventCursor: cursor, names } } });
const put = (data: List, item: { data: Changed }): List =>
  data.team ? { team: { ...data.team, names: [...data.team.names, String(item.data.membersChanged.n)] } } : data;

describe('a live query', () => {
  it('follows the list from its cursor', async () => {
    const q = await list();
    assert.equal(q.transport.attempts.length, 0);
    assert.equal(q.query.live, false);
    await q.read(team('c5', 'a'));
    assert.deepEqual(q.transport.last.request.variables, { team: 't1', after: 'c5' });
    q.transport.live();
    assert.equal(q.query.live, true);
    assert.deepEqual(q.names(), ['a']);
  });

  it('reads the list anew after an item, once for items that come together', async () => {
    const q = await list();
    await q.read(team('c5', 'a'));
    q.transport.item(6);
    q.transport.item(7);
    await q.clock.advance(50);
    assert.equal(q.reads.length, 1);
    await q.read(team('c7', 'a', 'b'));
    assert.equal(q.reads.length, 0);
    assert.deepEqual(q.names(), ['a', 'ab']);
    assert.equal(q.transport.attempts.length, 1);
  });

  it('puts items in by itself', async () => {
    const q = await list({ apply: put });
    await q.read(team('c5', 'a'));
    q.transport.item(6);
    q.transport.item(7);
    await q.clock.advance(1000);
    assert.deepEqual(q.names(), ['a', 'a6', 'a67']);
    assert.equal(q.reads.length, 0);
    assert.equal(q.shown[2]?.item?.cursor, 'c7');
  });

  it('reads anew where an item cannot be put in', async () => {
    const q = await list({ apply: (data, item) => (item.data.membersChanged.n === 7 ? undefined : put(data, item)) });
    await q.read(team('c5', 'a'));
    q.transport.item(6);
    q.transport.item(7);
    await q.clock.advance(50);
    await q.read(team('c7', 'x'));
    assert.deepEqual(q.names(), ['a', 'a6', 'x']);
  });

  it('puts items that come during a read into its result', async () => {
    const q = await list({ apply: put });
    await q.read(team('c5', 'a'));
    const done = q.query.refetch();
    await settled();
    q.transport.item(6);
    assert.deepEqual(q.names(), ['a']);
    await q.read(team('c5', 'b'));
    await done;
    assert.deepEqual(q.names(), ['a', 'b', 'b6']);
  });

  it('reads once more when too many items come during a read', async () => {
    const q = await list({ apply: put });
    await q.read(team('c5', 'a'));
    const done = q.query.refetch();
    await settled();
    for (let n = 1; n <= 1001; n++) q.transport.item(n);
    await q.read(team('c6', 'b'));
    await done;
    assert.deepEqual(q.names(), ['a', 'b']);
    await q.clock.advance(50);
    await q.read(team('c1001', 'c'));
    q.transport.item(1002);
    assert.deepEqual(q.names(), ['a', 'b', 'c', 'c1002']);
  });

  it('answers a demand during a read with the next read', async () => {
    const q = await list();
    await q.read(team('c5', 'a'));
    let done = 0;
    for (let i = 0; i < 3; i++) void q.query.refetch().then(() => done++);
    await settled();
    assert.equal(q.reads.length, 1);
    await q.read(team('c6', 'b'));
    assert.equal(done, 1);
    await q.read(team('c7', 'c'));
    assert.equal(done, 3);
    assert.equal(q.reads.length, 0);
  });

  it('goes on from a fresh list when its cursor is refused', async () => {
    const q = await list();
    await q.read(team('c5', 'a'));
    q.transport.refuse('BAD_USER_INPUT');
    await q.clock.advance(1000);
    assert.equal(q.transport.attempts.length, 1);
    await q.read(team('c2', 'b'));
    assert.equal(q.transport.last.request.variables['after'], 'c2');
    assert.deepEqual(q.names(), ['a', 'b']);
  });

  it('tries again when the list cannot be read for now', async () => {
    const retries: string[] = [];
    const q = await list({ onRetry: (e, delay) => retries.push(`${e.code} ${delay}`) });
    await q.read(new TypeError('fetch failed'));
    await q.clock.advance(375);
    await q.read({ errors: [{ message: 'Later.', extensions: { code: 'TIMEOUT' } }] });
    await q.clock.advance(750);
    await q.read(team('c5', 'a'));
    assert.deepEqual(retries, ['NETWORK 375', 'TIMEOUT 750']);
    assert.deepEqual(q.names(), ['a']);
  });

  it('ends when the list is refused', async () => {
    const q = await list();
    await q.read({ errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] });
    await assert.rejects(q.query.done, { code: 'FORBIDDEN' });
  });

  it('ends when the list has no cursor', async () => {
    const q = await list();
    await q.read({ data: { team: null } });
    await assert.rejects(q.query.done, { code: 'NO_CURSOR' });
    assert.deepEqual(q.names(), ['-']);
  });

  it('ends with one of its subscriptions, and ends the others', async () => {
    const q = await list({}, [FOLLOW, FOLLOW]);
    await q.read(team('c5', 'a'));
    q.transport.refuse('FORBIDDEN');
    await assert.rejects(q.query.done, { code: 'FORBIDDEN' });
    assert.deepEqual(q.transport.attempts.map((a) => a.stopped), [true, true]);
    assert.equal(q.query.live, false);
    assert.equal(q.clock.pending, 0);
  });

  it('stops, also during a read', async () => {
    const q = await list();
    q.query.stop();
    await q.query.done;
    await q.read(team('c5', 'a'));
    assert.equal(q.transport.attempts.length, 0);
    assert.deepEqual(q.names(), []);
  });

  it('stops by its signal, while it waits to read again', async () => {
    const aborter = new AbortController();
    const q = await list({ signal: aborter.signal });
    await q.read(new TypeError('fetch failed'));
    aborter.abort();
    await q.query.done;
    await q.clock.advance(100_000);
    assert.equal(q.reads.length, 0);
    assert.equal(q.clock.pending, 0);
  });

  it('can be iterated over', async () => {
    const q = await list({ next: undefined, apply: put });
    const names: string[] = [];
    const all = (async () => {
      for await (const { data } of q.query as AsyncIterable<Snapshot<List, Changed>>) if (names.push(data.team?.names.join('') ?? '') === 2) break;
    })();
    await q.read(team('c5', 'a'));
    q.transport.item(6);
    await all;
    assert.deepEqual(names, ['a', 'a6']);
    assert.equal(q.transport.last.stopped, true);
  });

  it('leaves out the oldest of 100 snapshots that nobody takes', async () => {
    const q = await list({ next: undefined, apply: put });
    await q.read(team('c0'));
    for (let n = 1; n <= 150; n++) q.transport.item(n);
    q.query.stop();
    const taken: (string | undefined)[] = [];
    for await (const s of q.query as AsyncIterable<Snapshot<List, Changed>>) taken.push(s.item?.cursor);
    assert.equal(taken.length, 100);
    assert.deepEqual([taken[0], taken.at(-1)], ['c51', 'c150']);
  });

  it('ends with the error that a callback throws', async () => {
    const cause = new Error('a bug of the application');
    const q = await list({ apply: () => { throw cause; } });
    await q.read(team('c5', 'a'));
    q.transport.item(6);
    await assert.rejects(q.query.done, (e) => e instanceof ConvokeError && e.code === 'CALLBACK' && e.cause === cause);
  });
});
