import { useMemo, useState } from 'react';
import { graphql, useSubscription } from 'react-relay';
import { ConnectionHandler, type RecordProxy, type RecordSourceSelectorProxy } from 'relay-runtime';
import type { liveInvitationsSubscription } from './__generated__/liveInvitationsSubscription.graphql';
import type { liveMembersSubscription } from './__generated__/liveMembersSubscription.graphql';

/**
 * Keeps a list of people live from the cursor on that was read with it. Changes of a person reach the list by the person's id;
 * the updaters say when somebody comes into the list or leaves it. Returns why the list is not live any more.
 */
export function useLiveList(teamId: string, eventCursor: string | null | undefined, connection: string | undefined): string | undefined {
  const [variables] = useState({ teamId, after: eventCursor });
  const [problem, setProblem] = useState<string>();
  const onError = (error: Error) => setProblem(error.message);

  useSubscription<liveInvitationsSubscription>(
    useMemo(
      () => ({
        subscription: graphql`
          subscription liveInvitationsSubscription($teamId: ID!, $after: EventCursor) {
            inviteStatusChanged(teamId: $teamId, after: $after) {
              cursor
              type
              invitation { id ...people_row }
              member { id ...people_row }
            }
          }
        `,
        variables,
        onError,
        updater(store, data) {
          const list = connection && store.get(connection);
          const change = store.getRootField('inviteStatusChanged');
          const type = data?.inviteStatusChanged.type;
          if (!list || !change || !type) {
            return;
          }
          if (type === 'CREATED') {
            put(store, list, change.getLinkedRecord('invitation'));
          }
          if (['ACCEPTED', 'DECLINED', 'REVOKED'].includes(type)) {
            drop(list, change.getLinkedRecord('invitation')?.getDataID());
          }
          put(store, list, change.getLinkedRecord('member'));
        },
      }),
      [variables, connection],
    ),
  );

  useSubscription<liveMembersSubscription>(
    useMemo(
      () => ({
        subscription: graphql`
          subscription liveMembersSubscription($teamId: ID!, $after: EventCursor) {
            membersChanged(teamId: $teamId, after: $after) {
              cursor
              type
              memberId
              member { id ...people_row }
            }
          }
        `,
        variables,
        onError,
        updater(store, data) {
          const list = connection && store.get(connection);
          if (list && data?.membersChanged.type === 'REMOVED') {
            drop(list, data.membersChanged.memberId);
          }
          if (list && data?.membersChanged.type === 'JOINED') {
            put(store, list, store.getRootField('membersChanged')?.getLinkedRecord('member'));
          }
        },
      }),
      [variables, connection],
    ),
  );
  return problem;
}

/** Puts a person at the top of the list, unless they are in it. */
function put(store: RecordSourceSelectorProxy, list: RecordProxy, person: RecordProxy | null | undefined): void {
  const shown = list.getLinkedRecords('edges')?.some((edge) => edge.getLinkedRecord('node') === person);
  if (person && !shown) {
    ConnectionHandler.insertEdgeBefore(list, ConnectionHandler.createEdge(store, list, person, 'PersonEdge'));
  }
}

/** Takes a person out of the list. */
function drop(list: RecordProxy, id: string | null | undefined): void {
  if (id) {
    ConnectionHandler.deleteNode(list, id);
  }
}
