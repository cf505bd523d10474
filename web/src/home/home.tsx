import { useCallback, useEffect, useState } from 'react';
import { Action, Problem } from '../form';
import { explain, request } from '../graphql';
import { Loading, Page } from '../page';
import { signOut, SignInForm, takeSsoFailure } from '../session';

const homeDocument = /* GraphQL */ `
  query Home {
    serverInfo { version graphiql ssoUrl }
    viewer {
      user { email firstName lastName }
      activeTeam { name account { name } }
    }
  }
`;

interface HomeData {
  serverInfo: { version: string; graphiql: boolean; ssoUrl: string | null };
  viewer: null | {
    user: null | { email: string; firstName: string; lastName: string };
    activeTeam: null | { name: string; account: { name: string } };
  };
}

/** The home page: a description of Convoke, links to its tools, and the person who is signed in. */
export function Home() {
  const [data, setData] = useState<HomeData | null>(null);
  const [failure, setFailure] = useState('');
  const [ssoFailure, setSsoFailure] = useState('');
  useEffect(() => {
    const sentence = takeSsoFailure();
    if (sentence) {
      setSsoFailure(sentence);
    }
  }, []);
  const load = useCallback(async () => {
    try {
      setData(await request<HomeData>(homeDocument));
      setFailure('');
    } catch (error) {
      setFailure(explain(error));
    }
  }, []);
  useEffect(() => void load(), [load]);
  const reload = async () => {
    setSsoFailure('');
    await load();
  };

  return (
    <Page>
      <section className="card">
        <h1>Teams and invitations, ready to query</h1>
        <p>
          Convoke is the team page of a SaaS portal as a self-hosted GraphQL backend: accounts, teams, roles, permissions and
          invitations behind one endpoint. Your dashboard sends its queries to <code>/graphql</code>, and is notified at once when
          somebody accepts an invitation.
        </p>
        <Tools graphiql={data?.serverInfo.graphiql ?? false} />
      </section>
      <section className="card" aria-live="polite">
        <Problem>{failure || ssoFailure}</Problem>
        {data ? <Viewer viewer={data.viewer} ssoUrl={data.serverInfo.ssoUrl} reload={reload} /> : !failure && <Loading />}
        {failure && <Action action={async () => (await load(), [])}>Try again</Action>}
      </section>
      {data && <p className="footnote">Version {data.serverInfo.version}</p>}
    </Page>
  );
}

/** Links to the tools that are enabled on this server. */
function Tools({ graphiql }: { graphiql: boolean }) {
  const [mailbox, setMailbox] = useState(false);
  useEffect(() => {
    fetch('/mailbox.json', { method: 'HEAD' }).then(
      (response) => setMailbox(response.status === 200),
      () => setMailbox(false),
    );
  }, []);
  return (
    <ul className="tools">
      {graphiql && (
        <li>
          <a href="/graphiql">GraphiQL</a> to try queries, mutations and subscriptions
        </li>
      )}
      {mailbox && (
        <li>
          <a href="/mailbox">Mailbox</a> to read the mails of this demo
        </li>
      )}
      <li>
        <a href="/schema.graphql">Schema</a> to see the whole API as text
      </li>
    </ul>
  );
}

interface ViewerProps {
  viewer: HomeData['viewer'];
  ssoUrl: string | null;
  reload: () => Promise<void>;
}

function Viewer({ viewer, ssoUrl, reload }: ViewerProps) {
  if (!viewer?.user) {
    return (
      <>
        <h2>Sign in</h2>
        <SignInForm onSignedIn={reload} ssoUrl={ssoUrl} />
      </>
    );
  }
  const { user, activeTeam } = viewer;
  const name = `${user.firstName} ${user.lastName}`.trim();
  return (
    <>
      <h2>Signed in</h2>
      <dl>
        <dt>Who</dt>
        <dd>{name ? `${name} (${user.email})` : user.email}</dd>
        <dt>Active team</dt>
        <dd>{activeTeam ? `${activeTeam.name}, account ${activeTeam.account.name}` : 'none'}</dd>
      </dl>
      <p className="hint">
        <a href="/my-data.json" download>
          Download your data
        </a>
        : everything that this server keeps about you, as JSON.
      </p>
      <Action
        className="secondary"
        action={async () => {
          await signOut();
          await reload();
          return [];
        }}
      >
        Sign out
      </Action>
    </>
  );
}
