// Connections to the demo break while it writes, and each event comes once, in order. CONVOKE_TEST_SEED repeats a run.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import WebSocket from 'ws';
import { createClient } from '@convoke/client';
import type { Connect, Status } from '@convoke/client';
import { eventStream } from '@convoke/client/sse';
import { webSocket } from '@convoke/client/ws';
import { chaos, seeded } from './chaos.js';
import { signIn, startDemo } from './demo.js';
import type { Demo } from './demo.js';

const seed = Number(process.env['CONVOKE_TEST_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const EVENTS = 60;
const CUTS = 25;

interface Changed {
  inviteStatusChanged: { cursor: string; type: string; invitation: { email: string } };
}
const FOLLOW = 'subscription($team: ID!) { inviteStatusChanged(teamId: $team) { cursor type invitation { id email status note } } }';

describe(`with seed ${seed}`, { timeout: 120_000 }, () => {
  let demo: Demo;
  let token: string;
  before(async () => {
    demo = await startDemo();
    token = await signIn(demo.url, 'olivia@acme.test');
  });
  after(() => demo.stop());

  const transports: Record<string, Connect> = {
    'a WebSocket': webSocket({ webSocketImpl: WebSocket }),
    'server-sent events': eventStream(),
    'one stream of server-sent events': eventStream({ singleConnection: true }),
  };
  for (const [index, [name, live]] of Object.entries(transports).entries()) {
    it(`each event comes once over ${name}`, async (t) => {
      const random = seeded(seed + index);
      const direct = createClient({ url: `${demo.url}/graphql`, token, live });
      const { data } = await direct.request<{ viewer: { activeTeam: { id: string; eventCursor: string; assignableRoles: { id: string }[] } } }>(
        '{ viewer { activeTeam { id eventCursor assignableRoles { id } } } }',
      );
      const team = data.viewer.activeTeam;
      const network = await chaos(demo.url, random, CUTS);
      t.after(() => network.close());
      const positions = new Set<unknown>();
      const recorded: Connect = (connection) => {
        const transport = live(connection);
        return {
          ...transport,
          subscribe: (request, sink) => {
            positions.add(request.variables['after']);
            return transport.subscribe(request, sink);
          },
        };
      };
      const broken = createClient({ url: `${network.url}/graphql`, token, live: recorded, backoff: { first: 40, most: 200 } });
      const statuses: Status[] = [];
      t.after(() => {
        direct.close();
        broken.close();
      });

      // Two at once, because they share a connection.
      const following = ['one', 'two'].map(async () => {
        const got: string[] = [];
        for await (const { data } of broken.subscribe<Changed>(FOLLOW, { team: team.id, after: team.eventCursor }, { onStatus: (s) => statuses.push(s) })) {
          if (got.push(line(data)) === EVENTS) break;
        }
        return got;
      });

      await invite(direct, team, `${seed}-${index}`);
      const got = await Promise.all(following);

      // What came over a network that does not break, from the same cursor.
      const want: string[] = [];
      for await (const { data } of direct.subscribe<Changed>(FOLLOW, { team: team.id, after: team.eventCursor })) if (want.push(line(data)) === EVENTS) break;
      for (const each of got) assert.deepEqual(each, want);
      assert.ok(network.cuts > 5, `got ${network.cuts} cuts, want some`);
      assert.ok(positions.size > 2, `got ${positions.size} positions, want those of later items too`);
      assert.ok(statuses.some((s) => s.state === 'reconnecting') && !statuses.some((s) => s.state === 'refetch'));
    });
  }
});

function line({ inviteStatusChanged: c }: Changed): string {
  return `${c.cursor} ${c.type} ${c.invitation.email}`;
}

/** Makes the events: half of the invitations are revoked, so each of them has two. */
async function invite(client: ReturnType<typeof createClient>, team: { id: string; assignableRoles: { id: string }[] }, name: string) {
  const roles = team.assignableRoles.slice(0, 1).map((r) => r.id);
  for (let n = 0; n < EVENTS / 2; n++) {
    const { data } = await client.request<{ inviteUser: { invitation: { id: string }; userErrors: unknown[] } }>(
      'mutation($in: InviteUserInput!) { inviteUser(input: $in) { invitation { id } userErrors { code message field } } }',
      { in: { teamId: team.id, email: `guest${n}.${name}@x.org`, note: 'x'.repeat(300), sendEmail: false, grant: { chosen: { roleIds: roles } } } },
    );
    assert.deepEqual(data.inviteUser.userErrors, []);
    const revoked = await client.request<{ revokeInvite: { userErrors: unknown[] } }>(
      'mutation($in: RevokeInviteInput!) { revokeInvite(input: $in) { userErrors { code message field } } }',
      { in: { invitationId: data.inviteUser.invitation.id } },
    );
    assert.deepEqual(revoked.data.revokeInvite.userErrors, []);
  }
}
