import { StrictMode, useEffect, useRef, type ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import './style.css';

/** Puts a page into its document. */
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

/** A heading that takes the focus when it replaces what was there before, so that a screen reader tells of the change. */
export function NewHeading({ children }: { children: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Shown while the first answer is awaited; appears late, so that a quick answer does not flicker. */
export function Loading() {
  return (
    <p className="loading" role="status">
      One moment…
    </p>
  );
}
