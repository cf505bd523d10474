import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createClient } from '@convoke/client';
import type { Connect, Status } from '@convoke/client';
import { eventStream } from '@convoke/client/sse';
import { webSocket } from '@convoke/client/ws';
import { FakeClock, settled } from './kit.js';

const FOLLOW = 'subscription($after: EventCursor) { membersChanged(teamId: 1, after: $after) { cursor n } }';

async function follow(live: Connect, fetched?: typeof fetch) {
  const clock = new FakeClock();
  const client = createClient({ url: 'http://x.test/graphql', token: async () => 'secret', live, clock, ...(fetched && { fetch: fetched }) });
  const statuses: Status[] = [];
  const items: unknown[] = [];
  const subscription = client.subscribe(FOLLOW, { after: 'c0' }, { next: (i) => items.push(i.data), onStatus: (s) => statuses.push(s) });
  await settled();
  return { clock, client, subscription, items, statuses, states: () => statuses.map((s) => s.state).join(' ') };
}

/** The end of a subscription: the code of its error, or that it comes back. */
function outcome(status: Status): string {
  if (status.state === 'reconnecting') return `again: ${status.reason.code}`;
  return status.state === 'ended' && status.reason === 'error' ? status.error.code : status.state;
}

/** A socket whose server is the test. */
class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static all: FakeSocket[] = [];
  readyState = FakeSocket.OPEN;
  onopen: () => void = () => {};
  onmessage: (event: { data: string }) => void = () => {};
  onerror: ((event: unknown) => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  readonly sent: { type: string; id?: string; payload?: Record<string, unknown> }[] = [];

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
    queueMicrotask(() => this.onopen());
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close(code = 1000, reason = '') {
    this.readyState = FakeSocket.CLOSED;
    this.onclose?.({ code, reason });
  }
  say(message: object) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  get id() {
    return this.sent.find((m) => m.type === 'subscribe')?.id;
  }
}

async function overSocket() {
  FakeSocket.all = [];
  const f = await follow(webSocket({ webSocketImpl: FakeSocket, pingEvery: 5, pongWithin: 1000 }));
  const socket = FakeSocket.all[0] as FakeSocket;
  socket.say({ type: 'connection_ack' });
  await settled();
  return { ...f, socket };
}

describe('a WebSocket', () => {
  it('carries the token, the cursor and the items', async () => {
    const f = await overSocket();
    assert.equal(f.socket.url, 'ws://x.test/graphql');
    assert.deepEqual(f.socket.sent[0], { type: 'connection_init', payload: { authorization: 'Bearer secret' } });
    assert.deepEqual(f.socket.sent.find((m) => m.type === 'subscribe')?.payload?.['variables'], { after: 'c0' });
    f.socket.say({ type: 'next', id: f.socket.id, payload: { data: { membersChanged: { cursor: 'c1', n: 1 } } } });
    assert.equal(f.states(), 'connecting live');
    assert.deepEqual(f.items, [{ membersChanged: { cursor: 'c1', n: 1 } }]);
    f.client.close();
    assert.equal(f.socket.sent.at(-1)?.type, 'complete');
  });

  for (const [code, want] of Object.entries({
    1000: 'again: NETWORK', 1001: 'again: NETWORK', 1006: 'again: NETWORK', 1011: 'again: NETWORK', 1012: 'again: NETWORK', 1013: 'again: NETWORK',
    4408: 'again: NETWORK', 4429: 'again: RATE_LIMITED', 4499: 'again: NETWORK',
    1007: 'BAD_RESPONSE', 1009: 'BAD_RESPONSE', 4400: 'BAD_RESPONSE', 4401: 'UNAUTHENTICATED', 4403: 'UNAUTHENTICATED', 4409: 'BAD_RESPONSE',
  })) {
    it(`closed with ${code}: ${want}`, async () => {
      const f = await overSocket();
      f.socket.close(Number(code), 'because');
      await settled();
      assert.equal(outcome(f.subscription.status), want);
      assert.equal(FakeSocket.all.length, 1);
      f.client.close();
    });
  }

  it('ends with the error of its operation', async () => {
    const f = await overSocket();
    f.socket.say({ type: 'error', id: f.socket.id, payload: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] });
    assert.equal(outcome(f.subscription.status), 'FORBIDDEN');
    f.client.close();
  });

  it('counts as broken when a ping stays without a reply', async () => {
    const f = await overSocket();
    while (!f.socket.sent.some((m) => m.type === 'ping')) await settled();
    f.socket.say({ type: 'pong' });
    await f.clock.advance(1000);
    assert.equal(f.subscription.status.state, 'caughtUp');
    while (f.socket.sent.filter((m) => m.type === 'ping').length < 2) await settled();
    await f.clock.advance(1000);
    assert.equal(outcome(f.subscription.status), 'again: NETWORK');
    f.client.close();
  });
});

/** A response whose body the test writes. */
function streamed() {
  let writer!: ReadableStreamDefaultController<Uint8Array>;
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void (writer = controller) });
  return {
    response: new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } }),
    write: (text: string) => writer.enqueue(new TextEncoder().encode(text)),
    end: () => writer.close(),
    fail: () => writer.error(new TypeError('terminated')),
  };
}
const next = (payload: object) => `event: next\ndata: ${JSON.stringify(payload)}\n\n`;
const item = next({ data: { membersChanged: { cursor: 'c1', n: 1 } } });

async function overEvents() {
  const stream = streamed();
  const requests: RequestInit[] = [];
  const f = await follow(eventStream(), async (_, init) => {
    requests.push(init ?? {});
    return requests.length === 1 ? stream.response : new Promise<never>(() => {});
  });
  return { ...f, stream, requests };
}

describe('server-sent events', () => {
  it('carry the token, the cursor and the items', async () => {
    const f = await overEvents();
    const headers = new Headers(f.requests[0]?.headers);
    assert.equal(headers.get('authorization'), 'Bearer secret');
    assert.equal(headers.get('accept'), 'text/event-stream');
    assert.deepEqual(JSON.parse(String(f.requests[0]?.body)).variables, { after: 'c0' });
    f.stream.write(`retry: 2000\n\n${item}`);
    await settled();
    assert.equal(f.states(), 'connecting live');
    assert.deepEqual(f.items, [{ membersChanged: { cursor: 'c1', n: 1 } }]);
    f.stream.write('event: complete\ndata:\n\n');
    await f.subscription.done;
    assert.deepEqual(f.subscription.status, { state: 'ended', reason: 'complete' });
  });

  for (const how of ['end', 'fail'] as const) {
    it(`come back after the last item of a stream that is interrupted (${how})`, async () => {
      const f = await overEvents();
      f.stream.write(item);
      if (how === 'fail') await settled();
      f.stream[how]();
      await settled();
      assert.equal(outcome(f.subscription.status), 'again: NETWORK');
      await f.clock.advance(1000);
      assert.deepEqual(JSON.parse(String(f.requests[1]?.body)).variables, { after: 'c1' });
      f.client.close();
    });
  }

  it('count as broken when they are silent', async () => {
    const f = await overEvents();
    await f.clock.advance(30_000);
    f.stream.write(':\n\n');
    await f.clock.advance(30_000);
    assert.equal(f.subscription.status.state, 'caughtUp');
    await f.clock.advance(15_000);
    assert.equal(outcome(f.subscription.status), 'again: NETWORK');
    f.client.close();
  });

  it('leave nothing behind when they are stopped', async () => {
    const f = await overEvents();
    f.stream.write(item);
    await settled();
    f.subscription.stop();
    await settled();
    assert.equal(f.clock.pending, 0);
  });

  it('end with the error of their operation', async () => {
    const f = await overEvents();
    f.stream.write(next({ data: null, errors: [{ message: 'No.', extensions: { code: 'FORBIDDEN' } }] }));
    await settled();
    assert.equal(outcome(f.subscription.status), 'FORBIDDEN');
  });

  const json = (status: number, body: unknown, headers = {}) => () =>
    new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json', ...headers } });
  const refused = (code: string) => ({ errors: [{ message: 'No.', extensions: { code } }] });
  for (const [name, respond, want] of [
    ['401 with errors', json(401, refused('UNAUTHENTICATED')), 'UNAUTHENTICATED'],
    ['401 of a proxy', json(401, 'no'), 'UNAUTHENTICATED'],
    ['200 that is no stream', json(200, refused('GRAPHQL_VALIDATION_FAILED')), 'GRAPHQL_VALIDATION_FAILED'],
    ['400 with errors', json(400, refused('BAD_REQUEST')), 'BAD_REQUEST'],
    ['404 of a proxy', json(404, 'no'), 'BAD_RESPONSE'],
    ['502 of a proxy', json(502, 'no'), 'again: NETWORK'],
    ['503 with errors', json(503, refused('TIMEOUT')), 'again: TIMEOUT'],
    ['429', json(429, 'no', { 'Retry-After': '9' }), 'again: RATE_LIMITED'],
  ] as const) {
    it(`refused with ${name}: ${want}`, async () => {
      const f = await follow(eventStream(), async () => respond());
      await settled();
      assert.equal(outcome(f.subscription.status), want);
      if (f.subscription.status.state === 'reconnecting') assert.equal(f.subscription.status.delay, name === '429' ? 9375 : 375);
      f.client.close();
    });
  }
});

describe('a query', () => {
  const request = (respond: () => Response | Promise<Response>, signal?: AbortSignal) =>
    createClient({ url: 'http://x.test/graphql', fetch: async () => respond() }).request<{ a: number }>('{ a }', {}, { signal });
  it('has data, and the errors of single fields', async () => {
    assert.deepEqual(await request(() => new Response('{"data":{"a":1},"errors":[{"message":"b"}]}')), { data: { a: 1 }, errors: [{ message: 'b' }] });
  });
  it('fails with the code of the server, and how long to wait', async () => {
    const limited = { errors: [{ message: 'Slow down.', extensions: { code: 'RATE_LIMITED', retryAfterSeconds: 3 } }] };
    await assert.rejects(request(() => new Response(JSON.stringify(limited), { status: 429 })), { code: 'RATE_LIMITED', message: 'Slow down.', retryAfterSeconds: 3 });
  });
  it('fails with NETWORK, or as its signal says', async () => {
    await assert.rejects(request(() => Promise.reject(new TypeError('fetch failed'))), { code: 'NETWORK' });
    const reason = new Error('enough');
    await assert.rejects(request(() => Promise.reject(reason), AbortSignal.abort(reason)), reason);
  });
  it('fails with BAD_RESPONSE for anything else', async () => {
    await assert.rejects(request(() => new Response('<html>')), { code: 'BAD_RESPONSE' });
  });
});
