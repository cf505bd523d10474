import { StrictMode, useEffect, useRef, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import './style.css';

/** Renders a page into its document. */
export function mount(page: ReactNode): void {
  const root = document.getElementById('root');
  if (root) {
    createRoot(root).render(<StrictMode>{page}</StrictMode>);
  }
}

/** The frame around every page. */
export function Page({ children, wide = false }: { children: ReactNode; wide?: boolean }) {
  return (
    <div className={wide ? 'page wide' : 'page'}>
      <header className="masthead">
        <a href="/">Convoke</a>
      </header>
      <main>{children}</main>
    </div>
  );
}

/** A heading that gets the focus when it replaces other content, so that a screen reader announces the change. */
export function NewHeading({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Shown until the first response. It appears with a delay, so that it does not flicker before a quick response. */
export function Loading() {
  return (
    <p className="loading" role="status">
      One moment…
    </p>
  );
}
