import 'graphiql/setup-workers/vite';
import { useMonaco } from '@graphiql/react';
import { createLocalStorage } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';
// The parts of graphiql/style.css, without its second copy of Monaco's styles and without its fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './graphiql.css';
import { request } from '../graphql';
import { signOut } from '../session';
import { fetcherOf } from './fetcher';
import { tabsOf, viewerDocument, type Viewer } from './tabs';

const root = createRoot(document.getElementById('root')!);
const fetcher = fetcherOf(open);
void open();

/**
 * Shows GraphiQL with tabs for the person who is signed in. It stores the tabs of each team by themselves: a demo that starts
 * with a new sample has new ids, and tabs with the old ones would find nothing.
 */
async function open(): Promise<void> {
  // A server that does not respond is shown by GraphiQL itself, as the error of its own first request.
  const { viewer } = await request<{ viewer: Viewer | null }>(viewerDocument).catch(() => ({ viewer: null }));
  const namespace = `convoke:${viewer?.activeTeam?.id ?? 'nobody'}`;
  const storage = createLocalStorage({ namespace });
  const tabs = tabsOf(viewer);
  root.render(
    <StrictMode>
      <GraphiQL
        key={namespace}
        fetcher={fetcher}
        storage={storage}
        defaultTabs={tabs}
        // GraphiQL ignores the variables of the first default tab, and would put these into the active tab at every visit.
        initialVariables={storage.getItem('graphiql:tabState') === null ? tabs[0]?.variables : undefined}
        defaultEditorToolsVisibility="variables"
      >
        <GraphiQL.Logo>
          <NarrowEditors />
          {viewer && <SignedIn email={viewer.user.email} />}
          <a className="graphiql-logo-link" href="/">
            Convoke
          </a>
        </GraphiQL.Logo>
      </GraphiQL>
    </StrictMode>,
  );
}

function SignedIn({ email }: { email: string }) {
  return (
    <button type="button" className="graphiql-un-styled sign-out" title={`Sign out ${email}`} onClick={() => void signOut().then(open)}>
      Sign out
    </button>
  );
}

/** Sets the editors so that an operation fits into half of a screen of 1200 px, beside the docs. */
function NarrowEditors() {
  const monaco = useMonaco((state) => state.monaco);
  useEffect(() => {
    const narrow = { fontSize: 13, wordWrap: 'on', lineNumbersMinChars: 2, lineDecorationsWidth: 4 } as const;
    monaco?.editor.getEditors().forEach((editor) => editor.updateOptions(narrow));
    const created = monaco?.editor.onDidCreateEditor((editor) => editor.updateOptions(narrow));
    return () => created?.dispose();
  }, [monaco]);
  return null;
}
