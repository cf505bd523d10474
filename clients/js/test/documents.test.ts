// The documents of the package, sent to the demo.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import WebSocket from 'ws';
import { change, createClient } from '@convoke/client';
import type { Client } from '@convoke/client';
import * as d from '@convoke/client/documents';
import { webSocket } from '@convoke/client/ws';
import { signIn, startDemo } from './demo.js';
import type { Demo } from './demo.js';

let demo: Demo;
let owner: Client;
const clientOf = async (email: string) => {
  const token = await signIn(demo.url, email);
  return createClient({ url: `${demo.url}/graphql`, token, live: webSocket({ webSocketImpl: WebSocket }) });
};
before(async () => {
  demo = await startDemo();
  owner = await clientOf('olivia@acme.test');
});
after(async () => {
  owner.close();
  await demo.stop();
});

/** Returns a text for the list of people at each snapshot of the page; the same text comes once. */
function pageOf(client: Client) {
  const page = client.liveQuery(d.PeoplePageDocument, { first: 100 }, {
    changes: ({ team }) => (team ? [change(d.TeamChangedDocument, { teamId: team.id })] : []),
  });
  const snapshots = page[Symbol.asyncIterator]();
  return {
    stop: () => page.stop(),
    /** Waits until the page shows the person, or does not show them any more. */
    async until(email: string, wanted: (row: d.PersonRowFragment | undefined) => boolean) {
      for (;;) {
        const { value, done } = await snapshots.next();
        if (done) throw new Error('the live query ended');
        const row = value.data.team?.people?.nodes.find((n) => n.email === email);
        if (wanted(row)) return { team: value.data.team, row };
      }
    },
  };
}

it('a people page follows an invitation from its creation to the member', { timeout: 60_000 }, async () => {
  const page = pageOf(owner);
  const email = 'nina@x.org';
  const { team } = await page.until(email, (row) => row === undefined);
  assert.ok(team);
  const [role, other] = team.assignableRoles;
  assert.ok(role && other);

  const invited = await owner.request(d.InviteUserDocument, { input: { teamId: team.id, email, firstName: 'Nina', grant: { chosen: { roleIds: [role.id] } } } });
  assert.deepEqual(invited.data.inviteUser?.userErrors, []);
  const invitation = (await page.until(email, (row) => row?.__typename === 'Invitation' && row.delivery.status === 'SENT')).row;
  assert.equal(invitation?.personStatus, 'INVITED');
  assert.deepEqual(invitation.roles.map((r) => r.key), [role.key]);

  const token = await tokenFor(email);
  const visitor = createClient({ url: `${demo.url}/graphql` });
  const preview = await visitor.request(d.InvitationByTokenDocument, { token });
  assert.equal(preview.data.invitationByToken?.nextStep, 'SIGN_UP');
  const accepted = await visitor.request(d.AcceptInviteDocument, { input: { invitation: { token }, password: 'a sentence only nina knows', transport: 'BEARER' } });
  assert.deepEqual(accepted.data.acceptInvite?.userErrors, []);
  assert.ok(accepted.data.acceptInvite?.sessionToken);
  const member = (await page.until(email, (row) => row?.__typename === 'Member')).row;
  assert.equal(member?.personStatus, 'ACTIVE');

  const version = member.__typename === 'Member' ? member.version : 0;
  const set = await owner.request(d.SetRolesDocument, { input: { memberId: member.id, roleIds: [other.id], expectedVersion: version } });
  assert.deepEqual(set.data.setRoles?.userErrors, []);
  await page.until(email, (row) => row?.roles[0]?.key === other.key);
  page.stop();
});

it('invitations are resent and revoked, and a subscription says so', { timeout: 60_000 }, async () => {
  const { data } = await owner.request(d.PeoplePageDocument);
  const { team } = data;
  assert.ok(team);
  const changes = owner.subscribe(d.InviteStatusChangedDocument, { teamId: team.id, after: team.eventCursor })[Symbol.asyncIterator]();
  const next = async () => (await changes.next()).value.data.inviteStatusChanged;

  const grant = { chosen: { roleIds: team.assignableRoles.slice(0, 1).map((r) => r.id) } };
  const invited = await owner.request(d.InviteUserDocument, { input: { teamId: team.id, email: 'rosa@x.org', grant, sendEmail: false } });
  const invitationId = invited.data.inviteUser?.invitation?.id;
  assert.ok(invitationId && invited.data.inviteUser?.inviteUrl);
  assert.equal((await next()).type, 'CREATED');
  const resent = await owner.request(d.ResendInviteDocument, { input: { invitationId, sendEmail: false } });
  assert.deepEqual(resent.data.resendInvite?.userErrors, []);
  assert.equal((await next()).type, 'RESENT');
  const revoked = await owner.request(d.RevokeInviteDocument, { input: { invitationId } });
  assert.deepEqual(revoked.data.revokeInvite?.userErrors, []);
  const last = await next();
  assert.equal(`${last.type} ${last.previousStatus} ${last.invitation?.status}`, 'REVOKED PENDING REVOKED');
  await changes.return?.();
});

it('an addressee follows the invitations to them', { timeout: 60_000 }, async () => {
  const { data } = await owner.request(d.PeoplePageDocument);
  const { team } = data;
  assert.ok(team);
  // A person who has an account of their own, and is in no team of this one.
  const email = 'sam@x.org';
  const grant = { chosen: { roleIds: team.assignableRoles.slice(0, 1).map((r) => r.id) } };
  await owner.request(d.InviteUserDocument, { input: { teamId: team.id, email, grant } });
  const token = await tokenFor(email);
  const visitor = createClient({ url: `${demo.url}/graphql` });
  const joined = await visitor.request(d.AcceptInviteDocument, { input: { invitation: { token }, password: 'a sentence only sam knows', transport: 'BEARER' } });
  const sam = createClient({
    url: `${demo.url}/graphql`,
    token: joined.data.acceptInvite?.sessionToken ?? '',
    live: webSocket({ webSocketImpl: WebSocket }),
  });
  const own = await owner.request<{ removeMember: { userErrors: unknown[] } }>(
    'mutation($in: RemoveMemberInput!) { removeMember(input: $in) { userErrors { code } } }',
    { in: { memberId: joined.data.acceptInvite?.member?.id } },
  );
  assert.deepEqual(own.data.removeMember.userErrors, []);

  const list = sam.liveQuery(d.ReceivedInvitationsDocument, {}, { changes: [change(d.ReceivedInvitationsChangedDocument, {})] });
  const snapshots = list[Symbol.asyncIterator]();
  const next = async () => (await snapshots.next()).value.data.viewer?.receivedInvitations?.nodes ?? [];
  assert.deepEqual(await next(), []);
  await owner.request(d.InviteUserDocument, { input: { teamId: team.id, email, grant } });
  const [received] = await next();
  assert.equal(received?.team.name, team.name);
  const declined = await sam.request(d.DeclineInviteDocument, { input: { invitation: { id: received.id } } });
  assert.equal(declined.data.declineInvite?.invitation?.status, 'DECLINED');
  let left = await next();
  while (left.length > 0) left = await next();
  sam.close();
});

/** Returns the token in the newest mail to the address. The mail was sent when the invitation says so. */
async function tokenFor(email: string): Promise<string> {
  for (;;) {
    const mails = (await (await fetch(`${demo.url}/mailbox.json`)).json()) as { to: string; text?: string; body?: string }[];
    const mail = mails.find((m) => m.to === email);
    const token = mail && /\/accept#([\w-]+)/.exec(JSON.stringify(mail))?.[1];
    if (token) return token;
  }
}
