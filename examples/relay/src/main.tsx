import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { RelayEnvironmentProvider } from 'react-relay';
import { environment } from './environment';
import { People } from './people';
import './style.css';

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <RelayEnvironmentProvider environment={environment}>
      <Suspense fallback={<p>One moment…</p>}>
        <People />
      </Suspense>
    </RelayEnvironmentProvider>
  </StrictMode>,
);
