import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConvokeError, createClient } from '@convoke/client';
import type { Item, RefetchReason, Status, SubscriptionOptions } from '@convoke/client';
import { FakeClock, FakeTransport, isSettled, settled } from './kit.js';
import type { Changed } from './kit.js';

const FOLLOW = 'subscription Follow($team: ID!, $after: EventCursor) { membersChanged(teamId: $team, after: $after) { cursor n } }';
const broken = new ConvokeError('NETWORK', 'The connection broke.');

/** A subscription, what it has reported, and what it has received. */
async function follow(options: SubscriptionOptions<Changed> = {}, variables: Record<string, unknown> = { team: 't1', after: 'c0' }, document = FOLLOW) {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const client = createClient({ url: 'http://x.test/graphql', live: () => transport, clock });
  const statuses: Status[] = [];
  const items: number[] = [];
  const subscription = client.subscribe<Changed>(document, variables, {
    next: (item) => items.push(item.data.membersChanged.n),
    ...options,
    onStatus: (s) => {
      statuses.push(s);
      options.onStatus?.(s);
    },
  });
  await settled();
  const states = () => statuses.map((s) => s.state).join(' ');
  return { clock, transport, client, statuses, states, items, subscription };
}

describe('a subscription', () => {
  it('carries its cursor over a break', async () => {
    const f = await follow();
    assert.equal(f.transport.last.request.variables['after'], 'c0');
    f.transport.live();
    f.transport.item(1);
    f.transport.item(2);
    f.transport.fail(broken);
    assert.equal(f.transport.attempts.length, 1);
    await f.clock.advance(1000);
    assert.equal(f.transport.attempts.length, 2);
    assert.deepEqual(f.transport.last.request.variables, { team: 't1', after: 'c2' });
    f.transport.live();
    f.transport.item(3);
    assert.deepEqual(f.items, [1, 2, 3]);
    assert.equal(f.subscription.cursor, 'c3');
  });

  it('drops what it has seen', async () => {
    const f = await follow();
    f.transport.live();
    f.transport.item(1);
    f.transport.item(2);
    f.transport.fail(broken);
    await f.clock.advance(1000);
    for (const n of [1, 2, 3, 3, 2]) f.transport.item(n);
    assert.deepEqual(f.items, [1, 2, 3]);
    assert.equal(f.subscription.cursor, 'c3');
  });

  it('says what it does', async () => {
    const f = await follow();
    f.transport.live();
    await f.clock.advance(1000);
    f.transport.fail(broken);
    await f.clock.advance(1000);
    f.transport.live();
    f.transport.item(1);
    f.transport.item(2);
    await f.clock.advance(1000);
    f.transport.item(3);
    f.subscription.stop();
    assert.equal(f.states(), 'connecting live caughtUp reconnecting live caughtUp ended');
    assert.deepEqual(f.statuses[3], { state: 'reconnecting', reason: broken, attempt: 1, delay: 375 });
    assert.deepEqual(f.statuses[5], { state: 'caughtUp', items: 2 });
    assert.deepEqual(f.subscription.status, { state: 'ended', reason: 'stopped' });
    assert.equal(f.clock.pending, 0);
  });

  it('waits longer each time, and from the beginning after an item', async () => {
    const f = await follow();
    for (let i = 0; i < 9; i++) {
      f.transport.fail(broken);
      await f.clock.advance(60_000);
    }
    f.transport.item(1);
    f.transport.fail(broken);
    const delays = f.statuses.flatMap((s) => (s.state === 'reconnecting' ? [s.delay] : []));
    assert.deepEqual(delays, [375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500, 375]);
  });

  it('waits from the beginning after a connection that lasted', async () => {
    const f = await follow();
    f.transport.fail(broken);
    await f.clock.advance(1000);
    f.transport.live();
    await f.clock.advance(10_000);
    f.transport.fail(broken);
    assert.equal(f.subscription.status.state === 'reconnecting' && f.subscription.status.attempt, 1);
  });

  it('waits as long as the server wants', async () => {
    const f = await follow();
    f.transport.fail(new ConvokeError('RATE_LIMITED', 'Slow down.', { retryAfterSeconds: 7 }));
    assert.equal(f.subscription.status.state === 'reconnecting' && f.subscription.status.delay, 7375);
  });

  it('comes back with its cursor when it was cut off for being slow', async () => {
    const f = await follow();
    f.transport.item(1);
    f.transport.refuse('TIMEOUT');
    assert.equal(f.transport.last.stopped, true);
    await f.clock.advance(1000);
    assert.equal(f.transport.last.request.variables['after'], 'c1');
    assert.ok(!f.states().includes('refetch'));
  });

  for (const code of ['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'GRAPHQL_VALIDATION_FAILED', 'BAD_RESPONSE']) {
    it(`ends with ${code}`, async () => {
      const f = await follow();
      f.transport.live();
      f.transport.refuse(code, 'No.');
      await f.clock.advance(100_000);
      assert.equal(f.transport.attempts.length, 1);
      await assert.rejects(f.subscription.done, (e) => e instanceof ConvokeError && e.code === code && e.message === 'No.');
      assert.equal(f.subscription.status.state === 'ended' && f.subscription.status.reason, 'error');
      assert.equal(f.clock.pending, 0);
    });
  }

  it('ends when the server completes it', async () => {
    const f = await follow();
    f.transport.last.sink.complete();
    await f.subscription.done;
    assert.deepEqual(f.subscription.status, { state: 'ended', reason: 'complete' });
  });

  it('hears nothing of an attempt that is over', async () => {
    const f = await follow();
    const [first] = f.transport.attempts;
    f.transport.fail(broken);
    first?.sink.next({ data: { membersChanged: { cursor: 'c9', n: 9 } } });
    first?.sink.error(broken);
    first?.sink.complete();
    await f.clock.advance(1000);
    assert.deepEqual(f.items, []);
    assert.equal(f.states(), 'connecting reconnecting');
  });

  it('stops by its signal, also before it has begun', async () => {
    const aborter = new AbortController();
    const f = await follow({ signal: aborter.signal });
    aborter.abort();
    await f.subscription.done;
    assert.equal(f.transport.last.stopped, true);
    const never = await follow({ signal: AbortSignal.abort() });
    await never.subscription.done;
    assert.equal(never.transport.attempts.length, 0);
    assert.equal(never.states(), 'ended');
  });

  it('comes back at once when the network of the browser is back', async (t) => {
    const network = new EventTarget();
    const own = { addEventListener: globalThis.addEventListener, removeEventListener: globalThis.removeEventListener };
    t.after(() => Object.assign(globalThis, own));
    Object.assign(globalThis, {
      addEventListener: network.addEventListener.bind(network),
      removeEventListener: network.removeEventListener.bind(network),
    });
    const f = await follow();
    f.transport.fail(broken);
    network.dispatchEvent(new Event('online'));
    network.dispatchEvent(new Event('online'));
    assert.equal(f.transport.attempts.length, 2);
    assert.equal(f.clock.pending, 0);
  });

  it('takes what a transport reports at once', async () => {
    const clock = new FakeClock();
    let stopped = 0;
    const client = createClient({
      url: 'http://x.test/graphql',
      clock,
      live: () => ({
        subscribe: (_, sink) => {
          sink.next({ errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] });
          return () => stopped++;
        },
        close: () => {},
      }),
    });
    await assert.rejects(client.subscribe(FOLLOW, {}, { next: () => {} }).done, { code: 'FORBIDDEN' });
    assert.equal(stopped, 1);
  });

  it('stops while it waits', async () => {
    const f = await follow();
    f.transport.fail(broken);
    f.subscription.stop();
    assert.equal(f.clock.pending, 0);
  });

  it('stops with its client', async () => {
    const f = await follow();
    f.client.close();
    await f.subscription.done;
    assert.equal(f.transport.closed, true);
  });

  it('ends with the error that a callback throws', async () => {
    const cause = new Error('a bug of the application');
    for (const bad of ['next', 'onStatus']) {
      const f = await follow({ [bad]: () => { throw cause; } });
      f.transport.attempts.at(-1)?.sink.next({ data: { membersChanged: { cursor: 'c1', n: 1 } } });
      await assert.rejects(f.subscription.done, (e) => e instanceof ConvokeError && e.code === 'CALLBACK' && e.cause === cause);
    }
  });

  it('passes on the errors of single fields', async () => {
    const got: Item<Changed>[] = [];
    const f = await follow({ next: (item) => got.push(item) });
    f.transport.last.sink.next({ data: { membersChanged: { cursor: 'c1', n: 1 } }, errors: [{ message: 'Not that field.' }] });
    assert.deepEqual(got[0]?.errors, [{ message: 'Not that field.' }]);
  });
});

describe('the iteration', () => {
  it('gives each item once, and ends with the subscription', async () => {
    const f = await follow({ next: undefined });
    const got: number[] = [];
    const all = (async () => {
      for await (const { data } of f.subscription) {
        got.push(data.membersChanged.n);
        if (data.membersChanged.n === 3) break;
      }
    })();
    f.transport.item(1);
    f.transport.item(2);
    await settled();
    f.transport.fail(broken);
    await f.clock.advance(1000);
    f.transport.item(2);
    f.transport.item(3);
    await all;
    assert.deepEqual(got, [1, 2, 3]);
    assert.equal(f.transport.last.stopped, true);
  });

  it('has a cursor of what was taken out, not of what has come', async () => {
    const f = await follow({ next: undefined });
    f.transport.item(1);
    f.transport.item(2);
    assert.equal(f.subscription.cursor, 'c0');
    await f.subscription[Symbol.asyncIterator]().next();
    assert.equal(f.subscription.cursor, 'c1');
  });

  it('throws what ended it, after the items before', async () => {
    const f = await follow({ next: undefined });
    f.transport.item(1);
    f.transport.refuse('FORBIDDEN');
    const iterator = f.subscription[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).done, false);
    await assert.rejects(iterator.next(), { code: 'FORBIDDEN' });
    assert.equal((await iterator.next()).done, true);
  });

  it('ends quietly when it is stopped', async () => {
    const f = await follow({ next: undefined });
    const iterator = f.subscription[Symbol.asyncIterator]();
    const waiting = [iterator.next(), iterator.next()];
    f.subscription.stop();
    for (const w of waiting) assert.equal((await w).done, true);
  });

  it('closes the connection while 1,000 items wait, and goes on from the last of them', async () => {
    const f = await follow({ next: undefined });
    f.transport.live();
    for (let n = 1; n <= 1001; n++) f.transport.item(n);
    assert.equal(f.transport.last.stopped, true);
    assert.deepEqual(f.subscription.status, { state: 'paused' });
    const iterator = f.subscription[Symbol.asyncIterator]();
    for (let n = 1; n <= 999; n++) await iterator.next();
    await settled();
    assert.equal(f.transport.attempts.length, 1);
    await iterator.next();
    await settled();
    assert.equal(f.transport.attempts.length, 2);
    assert.equal(f.transport.last.request.variables['after'], 'c1000');
    f.transport.live();
    f.transport.item(1001);
    assert.equal((await iterator.next()).value.data.membersChanged.n, 1001);
    assert.equal(f.states(), 'connecting live paused live');
  });

  it('ends when it is stopped while it is paused', async () => {
    const f = await follow({ next: undefined });
    for (let n = 1; n <= 1000; n++) f.transport.item(n);
    f.subscription.stop();
    const iterator = f.subscription[Symbol.asyncIterator]();
    for (let n = 1; n <= 1000; n++) assert.equal((await iterator.next()).done, false);
    assert.equal((await iterator.next()).done, true);
    assert.equal(f.transport.attempts.length, 1);
    assert.equal(f.clock.pending, 0);
  });

  it('is refused beside a callback', async () => {
    const f = await follow();
    assert.throws(() => f.subscription[Symbol.asyncIterator](), TypeError);
  });
});

describe('reading the list anew', () => {
  const reasons: RefetchReason[] = [];
  const refetch = (cursor: string | undefined) => async (reason: RefetchReason) => {
    reasons.push(reason);
    return cursor;
  };

  it('is asked for when the cursor is refused, and goes on from the fresh cursor', async () => {
    reasons.length = 0;
    const f = await follow({ refetch: refetch('c50') });
    f.transport.item(1);
    f.transport.fail(broken);
    await f.clock.advance(1000);
    f.transport.refuse('BAD_USER_INPUT', 'The cursor is beyond the end of the event log.');
    await f.clock.advance(1000);
    assert.deepEqual(reasons, ['CURSOR_REFUSED']);
    assert.equal(f.transport.last.request.variables['after'], 'c50');
    f.transport.live();
    f.transport.item(1); // a restored log counts anew
    assert.deepEqual(f.items, [1, 1]);
    assert.equal(f.states(), 'connecting reconnecting reconnecting refetch live');
  });

  it('is not asked for ever: another wrong input ends the subscription', async () => {
    reasons.length = 0;
    const f = await follow({ refetch: refetch('c50') });
    for (let i = 0; i < 3; i++) {
      f.transport.refuse('BAD_USER_INPUT', 'The team is wrong.');
      await f.clock.advance(10_000);
    }
    await assert.rejects(f.subscription.done, { code: 'BAD_USER_INPUT' });
    assert.equal(reasons.length, 2);
  });

  it('ends a subscription without a cursor at the first wrong input', async () => {
    const f = await follow({}, { team: 't1' });
    assert.equal(f.transport.last.request.variables['after'], null);
    f.transport.refuse('BAD_USER_INPUT');
    await assert.rejects(f.subscription.done, { code: 'BAD_USER_INPUT' });
  });

  it('is reported when nobody does it, and the subscription goes on from now', async () => {
    const f = await follow();
    f.transport.refuse('BAD_USER_INPUT');
    await f.clock.advance(1000);
    assert.equal(f.transport.last.request.variables['after'], null);
    f.transport.live();
    assert.equal(f.states(), 'connecting reconnecting live refetch');
  });

  it('is asked for after a break before the first item', async () => {
    reasons.length = 0;
    const f = await follow({ refetch: refetch('c7') }, { team: 't1' });
    f.transport.live();
    f.transport.fail(broken);
    await f.clock.advance(1000);
    assert.deepEqual(reasons, ['NO_CURSOR']);
    assert.equal(f.transport.last.request.variables['after'], 'c7');
  });

  it('is asked for at every reconnect of a subscription without a cursor, once it is live', async () => {
    reasons.length = 0;
    const f = await follow({ refetch: refetch(undefined), next: () => {} }, {}, 'subscription { viewerAccessChanged { type } }');
    assert.deepEqual(f.transport.last.request.variables, {});
    f.transport.live();
    f.transport.fail(broken);
    await f.clock.advance(1000);
    assert.deepEqual(reasons, []);
    f.transport.live();
    await settled();
    assert.deepEqual(reasons, ['NO_CURSOR']);
    assert.equal(f.states(), 'connecting live reconnecting live refetch');
  });

  it('is tried again when it fails for now', async () => {
    let calls = 0;
    const f = await follow({
      refetch: async () => {
        if (++calls < 3) throw broken;
        return 'c9';
      },
    });
    f.transport.refuse('BAD_USER_INPUT');
    await f.clock.advance(10_000);
    assert.equal(calls, 3);
    assert.equal(f.transport.last.request.variables['after'], 'c9');
  });

  it('ends the subscription when it is refused', async () => {
    const f = await follow({ refetch: () => Promise.reject(new ConvokeError('FORBIDDEN', 'No.')) });
    f.transport.refuse('BAD_USER_INPUT');
    await f.clock.advance(1000);
    await assert.rejects(f.subscription.done, { code: 'FORBIDDEN' });
  });

  it('does not delay the stop', async () => {
    const f = await follow({ refetch: () => new Promise(() => {}) });
    f.transport.refuse('BAD_USER_INPUT');
    await f.clock.advance(1000);
    assert.equal(await isSettled(f.subscription.done), false);
    f.subscription.stop();
    assert.equal(await isSettled(f.subscription.done), true);
  });
});
