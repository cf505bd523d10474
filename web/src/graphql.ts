/** One entry of a payload's `userErrors`: an error in the input, and its field. */
export interface UserError {
  code: string;
  /** The path from the input's root, such as ["password"]; empty when the input as a whole is wrong. */
  field: string[];
  message: string;
}

/** A request that was refused or got no response. Its message is a sentence for people. */
export class RequestError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'RequestError';
  }
}

interface TopLevelError {
  message?: string;
  extensions?: { code?: string; retryAfterSeconds?: number };
}

interface Answer<Data> {
  data?: Data | null;
  errors?: TopLevelError[];
}

/**
 * Sends one query or mutation to the server of this page, with the session of its cookie. Throws a RequestError for any
 * top-level error, so that a caller can rely on the non-null fields of the data.
 */
export async function request<Data>(document: string, variables: Record<string, unknown> = {}): Promise<Data> {
  let response: Response;
  let answer: Answer<Data>;
  try {
    response = await fetch('/graphql', {
      method: 'POST',
      credentials: 'same-origin',
      headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json;q=0.9' },
      body: JSON.stringify({ query: document, variables }),
    });
  } catch {
    throw new RequestError('NETWORK', 'The server cannot be reached. Check your connection and try again.');
  }
  try {
    answer = (await response.json()) as Answer<Data>;
  } catch {
    if (response.status === 429) {
      const retryAfter = Number(response.headers.get('retry-after'));
      throw new RequestError('RATE_LIMITED', sentence('RATE_LIMITED', { retryAfter }));
    }
    throw new RequestError('NETWORK', `The server's response could not be read (HTTP ${response.status}). Please try again.`);
  }
  const error = answer.errors?.[0];
  if (error || !answer.data) {
    const code = error?.extensions?.code ?? 'INTERNAL';
    const retryAfter = error?.extensions?.retryAfterSeconds;
    throw new RequestError(code, sentence(code, { message: error?.message, retryAfter }));
  }
  return answer.data;
}

/** Returns a sentence for people that says why something failed. It hides unexpected errors, such as those of the browser. */
export function explain(error: unknown): string {
  return error instanceof RequestError ? error.message : 'Something went wrong on this page. Please reload it and try again.';
}

function sentence(code: string, { message, retryAfter }: { message?: string; retryAfter?: number }): string {
  switch (code) {
    case 'UNAUTHENTICATED':
      return 'You are not signed in any more. Please sign in and try again.';
    case 'FORBIDDEN':
      return 'You do not have the permission to do this.';
    case 'NOT_FOUND':
      return 'This does not exist, or you may not see it.';
    case 'RATE_LIMITED':
      return `Too many attempts. Please ${retryAfter ? `try again in ${duration(retryAfter)}` : 'wait a little and try again'}.`;
    case 'TIMEOUT':
      return 'The server took too long to respond. Please try again.';
    case 'INTERNAL':
      // The message contains the failure's id, by which the operator finds it in the log.
      return message ? `Something went wrong on the server: ${message}` : 'Something went wrong on the server. Please try again.';
    default:
      return message || `The server refused the request (${code}).`;
  }
}

function duration(seconds: number): string {
  if (seconds < 90) {
    return `${Math.ceil(seconds)} second${Math.ceil(seconds) === 1 ? '' : 's'}`;
  }
  return `${Math.ceil(seconds / 60)} minutes`;
}
