/**
 * Takes a link's token out of the address bar, so that it stays out of the history, of screenshots and of a copied address.
 * The tab's session storage keeps it for a reload. Null when the page was opened without a token.
 */
export function takeToken(key: string): string | null {
  const token = decode(location.hash.slice(1));
  if (!token) {
    return stored(() => sessionStorage.getItem(key));
  }
  history.replaceState(null, '', location.pathname + location.search);
  stored(() => sessionStorage.setItem(key, token));
  return token;
}

/** Forgets a token that has served its purpose. */
export function forgetToken(key: string): void {
  stored(() => sessionStorage.removeItem(key));
}

function decode(fragment: string): string {
  try {
    return decodeURIComponent(fragment).trim();
  } catch {
    return fragment;
  }
}

/** Storage may be switched off in the browser; then only a reload of the page needs the link again. */
function stored<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
