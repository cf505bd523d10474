import 'graphiql/setup-workers/vite';
import { GraphiQL } from 'graphiql';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
// The parts of graphiql/style.css, without its second copy of Monaco's styles and without its fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import './graphiql.css';
import { query, variables } from './example';
import { fetcher } from './fetcher';

// GraphiQL stores the editors' contents itself, but would replace the variables by its initial ones at every visit.
const isFirstVisit = localStorage.getItem('graphiql:tabState') === null;

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <GraphiQL
        fetcher={fetcher}
        defaultQuery={query}
        initialVariables={isFirstVisit ? variables : undefined}
        defaultEditorToolsVisibility="variables"
      >
        <GraphiQL.Logo>
          <a className="graphiql-logo-link" href="/">
            Convoke
          </a>
        </GraphiQL.Logo>
      </GraphiQL>
    </StrictMode>,
  );
}
