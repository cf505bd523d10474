// What the types promise. The compiler is the test: a line with @ts-expect-error that has no error fails it.
import { it } from 'node:test';
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { change, createClient } from '@convoke/client';
import {
  InviteStatusChangedDocument,
  InviteUserDocument,
  PeoplePageDocument,
  ReceivedInvitationsChangedDocument,
  ReceivedInvitationsDocument,
  TeamChangedDocument,
  ViewerAccessChangedDocument,
} from '@convoke/client/documents';
import type { InviteEventType, PeoplePageQuery, PeoplePageQueryVariables, TeamEventType } from '@convoke/client/documents';

const client = createClient({ url: 'http://x.test/graphql' });

it('typed documents give typed data and variables', () => {
  const other: TypedDocumentNode<PeoplePageQuery, PeoplePageQueryVariables> = PeoplePageDocument; // as other clients want it
  void other;

  void (async () => {
    const page = await client.request(PeoplePageDocument);
    const name: string | undefined = page.data.team?.people?.nodes[0]?.displayName;
    void name;
    await client.request(PeoplePageDocument, { first: 10 }, { signal: AbortSignal.abort() });
    // @ts-expect-error a number
    await client.request(PeoplePageDocument, { first: '10' });
    // @ts-expect-error the variables are required
    await client.request(InviteUserDocument);
    const grant = { chosen: { roleIds: ['role_1'] } };
    await client.request(InviteUserDocument, { input: { teamId: 'team_1', email: 'a@x.org', grant } });
    // @ts-expect-error exactly one form of grant
    await client.request(InviteUserDocument, { input: { teamId: 'team_1', email: 'a@x.org', grant: { ...grant, allPermissions: true } } });

    const { data } = await client.request<{ a: number }>('{ a }');
    const a: number = data.a;
    void a;
  });

  void (async () => {
    for await (const { data } of client.subscribe(InviteStatusChangedDocument, { teamId: 'team_1' })) {
      const type: InviteEventType = data.inviteStatusChanged.type;
      void type;
    }
    // @ts-expect-error the team is missing
    client.subscribe(InviteStatusChangedDocument, {});
    client.subscribe(ViewerAccessChangedDocument, {}, { next: ({ data }) => data.viewerAccessChanged.teamId });
  });

  void (() => {
    client.liveQuery(PeoplePageDocument, {}, {
      changes: [change(TeamChangedDocument, { teamId: 'team_1' }), change(InviteStatusChangedDocument, { teamId: 'team_1' })],
      apply: (data, item) => {
        if (!('teamChanged' in item.data)) return undefined;
        const type: TeamEventType = item.data.teamChanged.type;
        return type === 'TEAM_UPDATED' ? data : undefined;
      },
    });
    client.liveQuery(ReceivedInvitationsDocument, {}, { changes: [change(ReceivedInvitationsChangedDocument, {})] });
    // @ts-expect-error the team is missing
    change(TeamChangedDocument, {});
  });
});
