/**
 * Removes a link's token from the address bar, so that it is not in the history, in screenshots or in a copied address. It
 * is kept in the tab's session storage for a reload. Returns null when the page was opened without a token.
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

/** Deletes a token that is not needed any more. */
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

/** The browser may forbid storage. Then a reload of the page needs the link again. */
function stored<T>(use: () => T): T | null {
  try {
    return use();
  } catch {
    return null;
  }
}
