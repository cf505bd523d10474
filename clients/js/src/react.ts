import { createContext, createElement, useContext, useEffect, useRef, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import type { GraphQLFormattedError } from 'graphql';
import type { Client, LiveQueryArguments } from './client.js';
import type { Document } from './document.js';
import { PeoplePageDocument, TeamChangedDocument } from './documents.js';
import type { PeoplePageQuery, PeoplePageQueryVariables } from './documents.js';
import type { ConvokeError } from './error.js';
import { change } from './live-query.js';
import type { Change } from './live-query.js';
import type { Item, Status, SubscriptionOptions } from './subscription.js';

const Context = createContext<Client | undefined>(undefined);

/** Gives the client to the components below it. */
export function ConvokeProvider({ client, children }: { client: Client; children?: ReactNode }): ReactElement {
  return createElement(Context.Provider, { value: client }, children);
}

/** Returns the client of the nearest ConvokeProvider. */
export function useConvoke(): Client {
  const client = useContext(Context);
  if (!client) throw new Error('There is no ConvokeProvider above this component.');
  return client;
}

/** What is reported to a component while something runs for it. */
type Report<State> = (change: Partial<State>) => void;

/**
 * Runs something while the component is mounted, and anew when the document or the variables change. The newest
 * options are in `latest`, because they may change while it runs.
 */
function useRunning<State, Options>(
  initial: State,
  document: unknown,
  variables: unknown,
  options: Options & { skip?: boolean | undefined },
  start: (client: Client, latest: { current: Options }, report: Report<State>) => { stop(): void },
): State {
  const client = useConvoke();
  const skip = options.skip ?? false;
  const key = JSON.stringify(variables);
  const latest = useRef<Options>(options);
  useEffect(() => {
    latest.current = options;
  });
  const [shown, show] = useState<{ client: Client; document: unknown; key: string; state: State }>();
  useEffect(() => {
    if (skip) return undefined;
    let state = initial;
    let stopped = false;
    const running = start(client, latest, (change) => {
      state = { ...state, ...change };
      if (!stopped) show({ client, document, key, state });
    });
    return () => {
      stopped = true;
      running.stop();
    };
    // The variables are compared by their content; "start" and "initial" do not change.
  }, [client, document, key, skip]);
  const current = shown && !skip && shown.client === client && shown.document === document && shown.key === key;
  return current ? shown.state : initial;
}

export interface UseSubscriptionOptions<Data> extends Omit<SubscriptionOptions<Data>, 'signal'> {
  /** While true, nothing is subscribed. */
  skip?: boolean | undefined;
}

export interface SubscriptionState<Data> {
  /** The newest item. React may leave out items that come at once: `next` gets each of them. */
  item: Item<Data> | undefined;
  status: Status;
  /** Why the subscription has ended. */
  error: ConvokeError | undefined;
}

const CONNECTING: SubscriptionState<never> = { item: undefined, status: { state: 'connecting' }, error: undefined };

/**
 * Subscribes while the component is mounted. The subscription begins anew when the document or the variables
 * change. The callbacks may change at any time.
 */
export function useConvokeSubscription<Data, Variables>(
  document: Document<Data, Variables>,
  variables: Variables,
  options: UseSubscriptionOptions<Data> = {},
): SubscriptionState<Data> {
  return useRunning<SubscriptionState<Data>, UseSubscriptionOptions<Data>>(CONNECTING, document, variables, options, (client, latest, report) =>
    client.subscribe(document, variables, {
      next: (item) => {
        latest.current.next?.(item);
        report({ item });
      },
      onStatus: (status) => {
        latest.current.onStatus?.(status);
        report({ status, error: status.state === 'ended' && status.reason === 'error' ? status.error : undefined });
      },
      refetch: options.refetch && (async (reason) => latest.current.refetch?.(reason)),
    }),
  );
}

export type UseLiveQueryOptions<Data, Changes extends readonly Change[]> = Omit<LiveQueryArguments<Data, Changes>, 'signal' | 'next'> & {
  /** While true, nothing is read. */
  skip?: boolean | undefined;
};

export interface LiveQueryState<Data> {
  /** The list; undefined until it was read. */
  data: Data | undefined;
  /** The errors of fields that are null for this reason; usually empty. */
  errors: readonly GraphQLFormattedError[];
  /** Whether the list follows its changes now. */
  live: boolean;
  /** Why the list is not followed any more, or why it could not be read yet. */
  error: ConvokeError | undefined;
  /** Reads the list anew. */
  refetch: () => Promise<void>;
}

const UNREAD: LiveQueryState<never> = { data: undefined, errors: [], live: false, error: undefined, refetch: async () => {} };

/**
 * Reads a list and follows its changes while the component is mounted. It begins anew when the document or
 * the variables change. The callbacks may change at any time.
 */
export function useLiveQuery<Data, Variables, const Changes extends readonly Change[]>(
  document: Document<Data, Variables>,
  variables: Variables,
  options: UseLiveQueryOptions<Data, Changes>,
): LiveQueryState<Data> {
  return useRunning<LiveQueryState<Data>, UseLiveQueryOptions<Data, Changes>>(UNREAD, document, variables, options, (client, latest, report) => {
    const query = client.liveQuery<Data, Variables, Changes>(document, variables, {
      changes: options.changes,
      cursor: options.cursor,
      apply: options.apply && ((data, item) => latest.current.apply?.(data, item)),
      next: ({ data, errors }) => report({ data, errors, error: undefined, refetch }),
      onStatus: (status, index) => {
        latest.current.onStatus?.(status, index);
        report({ live: query.live });
      },
      onRetry: (error, delay) => {
        latest.current.onRetry?.(error, delay);
        report({ error });
      },
    });
    const refetch = () => query.refetch();
    query.done.catch((error: ConvokeError) => report({ error, live: false }));
    return query;
  });
}

type People = NonNullable<NonNullable<PeoplePageQuery['team']>['people']>;

/** A page of people. */
export interface LivePeople extends Omit<LiveQueryState<PeoplePageQuery>, 'data'> {
  /** The team; undefined until the page was read. */
  team: NonNullable<PeoplePageQuery['team']> | undefined;
  /** The members and invitations of the page. It is empty until the page was read, and when the viewer may not see people. */
  people: People['nodes'];
  totalCount: number | undefined;
  pageInfo: People['pageInfo'] | undefined;
}

/**
 * Returns a page of a team's members and invitations that is always up to date. Without a `teamId` it is the
 * viewer's active team. The page is read anew after each change of the team.
 */
export function useLivePeople(variables: PeoplePageQueryVariables, options: { skip?: boolean } = {}): LivePeople {
  const { data, ...state } = useLiveQuery(PeoplePageDocument, variables, { changes: changesOfTeam, ...options });
  const team = data?.team ?? undefined;
  return { ...state, team, people: team?.people?.nodes ?? [], totalCount: team?.people?.totalCount, pageInfo: team?.people?.pageInfo };
}

function changesOfTeam({ team }: PeoplePageQuery) {
  return team ? [change(TeamChangedDocument, { teamId: team.id })] : [];
}
