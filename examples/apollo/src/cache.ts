import { InMemoryCache, type FieldFunctionOptions, type Reference, type StoreObject } from '@apollo/client';
import type { InvitationChangesSubscription, MemberChangesSubscription } from './gql/graphql';

interface Page {
  nodes: readonly Reference[];
  pageInfo: StoreObject;
}

export const cache = new InMemoryCache({
  possibleTypes: { Person: ['Member', 'Invitation'] },
  typePolicies: {
    Viewer: { merge: true },
    Team: {
      fields: {
        // All pages are one list. A page that is read with `after` comes behind those before it.
        people: {
          keyArgs: false,
          merge: (old: Page | undefined, page: Page, { args }: FieldFunctionOptions) =>
            args?.after && old ? { ...page, nodes: [...old.nodes, ...page.nodes] } : page,
        },
      },
    },
  },
});

type Change = InvitationChangesSubscription['inviteStatusChanged'];
type MemberChange = MemberChangesSubscription['membersChanged'];

/** Brings the person of an invitation's change into the list, or out of it. Their other changes reach the list by their id. */
export function invitationChanged(teamId: string, { type, invitation, member }: Change): void {
  if (type === 'CREATED' && invitation) {
    put(teamId, invitation);
  }
  if (['ACCEPTED', 'DECLINED', 'REVOKED'].includes(type) && invitation) {
    drop(teamId, invitation);
  }
  if (member) {
    put(teamId, member);
  }
}

/** Does the same for a change of a member. */
export function memberChanged(teamId: string, { type, memberId, member }: MemberChange): void {
  if (type === 'REMOVED' && memberId) {
    drop(teamId, { __typename: 'Member', id: memberId });
  }
  if (type === 'JOINED' && member) {
    put(teamId, member);
  }
}

/** Puts a person at the top of the list, unless they are in it. */
export function put(teamId: string, person: StoreObject, into = cache as Pick<InMemoryCache, 'modify' | 'identify'>): void {
  const ref = into.identify(person)!;
  into.modify<Record<string, any>>({
    id: into.identify({ __typename: 'Team', id: teamId }),
    fields: {
      people: (page: Page) =>
        page.nodes.some((node) => node.__ref === ref) ? page : { ...page, nodes: [{ __ref: ref }, ...page.nodes] },
    },
  });
}

/** Takes a person out of the list. */
function drop(teamId: string, person: StoreObject): void {
  const ref = cache.identify(person);
  cache.modify<Record<string, any>>({
    id: cache.identify({ __typename: 'Team', id: teamId }),
    fields: { people: (page: Page) => ({ ...page, nodes: page.nodes.filter((node) => node.__ref !== ref) }) },
  });
}
