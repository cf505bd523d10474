// Runs with React 19, and with React 18 by test/react18/hooks.mjs.
import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createElement, StrictMode, version } from 'react';
import type { FunctionComponent } from 'react';
import { act, create } from 'react-test-renderer';
import type { ReactTestRenderer } from 'react-test-renderer';
import { change, createClient } from '@convoke/client';
import type { Client } from '@convoke/client';
import { ConvokeProvider, useConvokeSubscription, useLivePeople, useLiveQuery } from '@convoke/client/react';
import type { LivePeople, LiveQueryState, SubscriptionState } from '@convoke/client/react';
import { FakeClock, FakeTransport, settled } from './kit.js';
import type { Changed } from './kit.js';

const FOLLOW = 'subscription($team: ID!) { membersChanged(teamId: $team) { cursor n } }';
(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

describe(`React ${version}`, () => {
  let clock: FakeClock;
  let transport: FakeTransport;
  let client: Client;
  let lists: number;
  let page: ReactTestRenderer | undefined;
  const { error } = console;

  beforeEach(() => {
    clock = new FakeClock();
    transport = new FakeTransport();
    lists = 0;
    client = createClient({
      url: 'http://x.test/graphql',
      live: () => transport,
      clock,
      fetch: async (_, init) => {
        const { variables } = JSON.parse(String(init?.body)) as { variables: { team?: string; teamId?: string } };
        const people = { totalCount: 1, pageInfo: {}, nodes: [{ id: 'mem_1', displayName: `Ann ${++lists}` }] };
        const id = variables.team ?? variables.teamId ?? 'active';
        return new Response(JSON.stringify({ data: { team: id === 'none' ? null : { id, eventCursor: `c${lists}`, people } } }));
      },
    });
    console.error = (...said: unknown[]) => {
      if (!String(said[0]).includes('react-test-renderer is deprecated')) throw new Error(`React complains: ${said.join(' ')}`);
    };
  });
  afterEach(async () => {
    await act(async () => page?.unmount());
    page = undefined;
    console.error = error;
  });

  /** Renders a component below the provider; again, when there is one already. */
  async function render<Props extends object>(component: FunctionComponent<Props>, props: Props) {
    const element = createElement(StrictMode, null, createElement(ConvokeProvider, { client }, createElement(component, props)));
    await act(async () => {
      if (page) page.update(element);
      else page = create(element);
      await settled();
    });
  }
  const running = () => transport.attempts.filter((a) => !a.stopped).length;
  const later = (what: () => void | Promise<void>) =>
    act(async () => {
      await what();
      await settled();
    });

  describe('useConvokeSubscription', () => {
    let shown: SubscriptionState<Changed>;
    const got: number[] = [];
    function Follow({ team, skip, factor = 1 }: { team: string; skip?: boolean; factor?: number }) {
      shown = useConvokeSubscription<Changed, { team: string }>(FOLLOW, { team }, { skip, next: (item) => got.push(item.data.membersChanged.n * factor) });
      return null;
    }

    it('runs once in StrictMode, and stops with the component', async () => {
      await render(Follow, { team: 't1' });
      assert.equal(running(), 1);
      assert.equal(shown.status.state, 'connecting');
      await later(() => transport.live());
      assert.equal(shown.status.state, 'live');
      await act(async () => page?.unmount());
      assert.equal(running(), 0);
    });

    it('gives each item to the newest callback, and shows the last', async () => {
      got.length = 0;
      await render(Follow, { team: 't1' });
      await later(() => {
        transport.item(1);
        transport.item(2);
      });
      await render(Follow, { team: 't1', factor: 10 });
      await later(() => transport.item(3));
      assert.deepEqual(got, [1, 2, 30]);
      assert.equal(shown.item?.cursor, 'c3');
      assert.equal(running(), 1);
    });

    it('begins anew with other variables, and shows nothing of the old ones', async () => {
      await render(Follow, { team: 't1' });
      await later(() => transport.item(1));
      await render(Follow, { team: 't2' });
      assert.equal(shown.item, undefined);
      assert.equal(running(), 1);
      assert.equal(transport.last.request.variables['team'], 't2');
    });

    it('waits while it is skipped', async () => {
      await render(Follow, { team: 't1', skip: true });
      assert.equal(running(), 0);
      await render(Follow, { team: 't1', skip: false });
      assert.equal(running(), 1);
    });

    it('shows why it ended', async () => {
      await render(Follow, { team: 't1' });
      await later(() => transport.refuse('FORBIDDEN', 'You are not in this team any more.'));
      assert.equal(shown.status.state, 'ended');
      assert.equal(shown.error?.code, 'FORBIDDEN');
    });
  });

  describe('useLiveQuery', () => {
    interface List {
      team: { id: string; eventCursor: string };
    }
    let shown: LiveQueryState<List>;
    function Team({ team }: { team: string }) {
      shown = useLiveQuery('query($team: ID!) { team(id: $team) { id eventCursor } }' as string, { team }, {
        changes: [change<Changed, { team: string }>(FOLLOW, { team })],
      }) as LiveQueryState<List>;
      return null;
    }

    it('shows the list, and reads it anew after a change', async () => {
      await render(Team, { team: 't1' });
      assert.equal(shown.data?.team.id, 't1');
      assert.equal(shown.live, false);
      await later(() => transport.live());
      assert.equal(shown.live, true);
      const before = lists;
      await later(async () => {
        transport.item(9);
        await clock.advance(50);
      });
      assert.equal(lists, before + 1);
      assert.equal(shown.data?.team.eventCursor, `c${lists}`);
      await later(() => shown.refetch());
      assert.equal(lists, before + 2);
    });

    it('begins anew with other variables, and shows nothing of the old ones', async () => {
      await render(Team, { team: 't1' });
      const seen: (string | undefined)[] = [];
      function Watch(props: { team: string }) {
        Team(props);
        seen.push(shown.data?.team.id);
        return null;
      }
      await render(Watch, { team: 't2' });
      assert.deepEqual([...new Set(seen)], [undefined, 't2']);
      assert.equal(running(), 1);
    });

    it('shows why it ended', async () => {
      await render(Team, { team: 't1' });
      await later(() => transport.refuse('FORBIDDEN'));
      assert.equal(shown.error?.code, 'FORBIDDEN');
      assert.equal(shown.live, false);
    });
  });

  describe('useLivePeople', () => {
    let shown: LivePeople;
    function People({ teamId }: { teamId?: string }) {
      shown = useLivePeople({ teamId, first: 10 });
      return null;
    }

    it('shows the people of the active team, and follows it', async () => {
      await render(People, {});
      assert.equal(shown.team?.id, 'active');
      assert.equal(shown.totalCount, 1);
      assert.match(shown.people[0]?.displayName ?? '', /^Ann/);
      assert.equal(transport.last.request.variables['teamId'], 'active');
      assert.match(String(transport.last.request.variables['after']), /^c[12]$/);
      const before = lists;
      await later(async () => {
        transport.last.sink.next({ data: { teamChanged: { cursor: 'c9' } } });
        await clock.advance(50);
      });
      assert.equal(shown.people[0]?.displayName, `Ann ${before + 1}`);
    });

    it('says when there is no such team', async () => {
      await render(People, { teamId: 'none' });
      assert.equal(shown.team, undefined);
      assert.deepEqual(shown.people, []);
      assert.equal(shown.error?.code, 'NO_CURSOR');
    });
  });
});
