import { ConvokeError, fromErrors, fromThrown } from './error.js';
import type { Connection, Request, Result } from './transport.js';

/** Sends a query or mutation once. It fails with a ConvokeError when the response has no data. */
export async function send(connection: Connection, request: Request, signal?: AbortSignal): Promise<Result> {
  let response: Response;
  let text: string;
  try {
    const authorization = await connection.authorization();
    response = await connection.fetch(connection.url, {
      method: 'POST',
      headers: {
        Accept: 'application/graphql-response+json, application/json;q=0.9',
        'Content-Type': 'application/json',
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      body: JSON.stringify(request),
      ...(connection.credentials && { credentials: connection.credentials }),
      ...(signal && { signal }),
    });
    text = await response.text();
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    throw fromThrown(thrown);
  }
  const result = resultIn(text);
  if (result?.data == null) throw failureOf(response, result);
  return result;
}

/** Returns the error that a response without data stands for. */
export function failureOf(response: Pick<Response, 'status' | 'headers'>, result: Result | undefined): ConvokeError {
  const errors = result?.errors;
  const after = Number(response.headers.get('Retry-After') ?? NaN);
  const retryAfterSeconds = Number.isFinite(after) ? after : undefined;
  if (errors?.length) {
    const error = fromErrors(errors);
    return error.retryAfterSeconds === undefined && retryAfterSeconds !== undefined
      ? new ConvokeError(error.code, error.message, { errors, retryAfterSeconds })
      : error;
  }
  return new ConvokeError(codeOfStatus(response.status), `The server answered with status ${response.status}.`, { retryAfterSeconds });
}

function codeOfStatus(status: number): string {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 429) return 'RATE_LIMITED';
  // A proxy in front of a server that is away answers for it.
  return status >= 500 || status === 408 || status === 425 ? 'NETWORK' : 'BAD_RESPONSE';
}

/** Returns the result in the text of a response, or undefined when the text is something else. */
export function resultIn(text: string): Result | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined; // the page of a proxy
  }
}
