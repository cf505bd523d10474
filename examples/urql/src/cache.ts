import { cacheExchange, type Cache, type Entity } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import type {
  InvitationChangesSubscription,
  InvitationChangesSubscriptionVariables,
  InviteMutation,
  InviteMutationVariables,
  MemberChangesSubscription,
  MemberChangesSubscriptionVariables,
} from './gql/graphql';

const sending = 'Invitation:sending';

/**
 * The normalized cache. Changes of a person reach the list by the person's id; what follows says when somebody comes into the
 * list or leaves it, and shows an invitation before the server has answered.
 */
export const cache = cacheExchange({
  keys: { Viewer: () => null, InviteStatusChange: () => null, MembersChange: () => null },
  resolvers: { Team: { people: relayPagination() } },
  optimistic: {
    inviteUser({ input }: InviteMutationVariables, cache) {
      return {
        __typename: 'InviteUserPayload',
        userErrors: [],
        invitation: {
          __typename: 'Invitation',
          id: 'sending',
          displayName: input.email,
          email: input.email,
          personStatus: 'INVITED',
          roles: (input.grant.chosen?.roleIds ?? []).map((id) => ({ __typename: 'Role', id, name: cache.resolve({ __typename: 'Role', id }, 'name') })),
          viewerCanResend: false,
          viewerCanRevoke: false,
        },
      };
    },
  },
  updates: {
    Mutation: {
      inviteUser({ inviteUser }: InviteMutation, { input }: InviteMutationVariables, cache) {
        if (inviteUser?.invitation) {
          put(cache, input.teamId, inviteUser.invitation);
        }
      },
    },
    Subscription: {
      inviteStatusChanged({ inviteStatusChanged: { type, invitation, member } }: InvitationChangesSubscription, { teamId }: InvitationChangesSubscriptionVariables, cache) {
        if (type === 'CREATED' && invitation) {
          put(cache, teamId, invitation);
        }
        if (['ACCEPTED', 'DECLINED', 'REVOKED'].includes(type) && invitation) {
          drop(cache, teamId, invitation);
        }
        if (member) {
          put(cache, teamId, member);
        }
      },
      membersChanged({ membersChanged: { type, memberId, member } }: MemberChangesSubscription, { teamId }: MemberChangesSubscriptionVariables, cache) {
        if (type === 'REMOVED' && memberId) {
          drop(cache, teamId, { __typename: 'Member', id: memberId });
        }
        if (type === 'JOINED' && member) {
          put(cache, teamId, member);
        }
      },
    },
  },
});

/** Puts a person at the top of the list, unless they are in it. */
function put(cache: Cache, teamId: string, person: Entity): void {
  const [first] = pages(cache, teamId);
  const shown = pages(cache, teamId).some(({ nodes }) => nodes.includes(cache.keyOfEntity(person)!));
  if (first && !shown) {
    cache.link(first.key, 'nodes', [person, ...first.nodes]);
  }
}

/** Takes a person out of the list. */
function drop(cache: Cache, teamId: string, person: Entity): void {
  for (const { key, nodes } of pages(cache, teamId)) {
    cache.link(key, 'nodes', nodes.filter((node) => node !== cache.keyOfEntity(person)));
  }
}

/**
 * The pages of people that were read, the first one first: the key of each, and the keys of its people. It leaves out the
 * optimistic row, which is gone with the server's answer.
 */
function pages(cache: Cache, teamId: string): { key: string; nodes: string[] }[] {
  const team = { __typename: 'Team', id: teamId };
  return cache
    .inspectFields(team)
    .filter((field) => field.fieldName === 'people')
    .sort((one, other) => Number(Boolean(one.arguments?.after)) - Number(Boolean(other.arguments?.after)))
    .map((field) => cache.resolve(team, field.fieldKey) as string)
    .map((key) => ({ key, nodes: (cache.resolve(key, 'nodes') as string[]).filter((node) => node !== sending) }));
}
