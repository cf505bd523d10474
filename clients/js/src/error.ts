import type { GraphQLFormattedError } from 'graphql';

/**
 * The error of everything in this package. `code` is the code of the server, such as `FORBIDDEN`
 * (docs/errors.md of Convoke lists them), or one of the codes of this client:
 *
 * - `NETWORK`: the server could not be reached, or the connection broke.
 * - `BAD_RESPONSE`: the response is not one of a GraphQL server, or the server refused the request as malformed.
 * - `NO_CURSOR`: the query of a live query returned no cursor, for example because the viewer may not see the team.
 * - `CALLBACK`: a callback of the application threw an error, which is the `cause`.
 */
export class ConvokeError extends Error {
  override readonly name = 'ConvokeError';
  readonly code: string;
  /** The GraphQL errors of the response, if it had some. */
  readonly errors: readonly GraphQLFormattedError[];
  /** How long the server wants the client to wait before it tries again. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: string,
    message: string,
    more: { errors?: readonly GraphQLFormattedError[]; retryAfterSeconds?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.errors = more.errors ?? [];
    this.retryAfterSeconds = more.retryAfterSeconds;
  }

  /** Whether the same request may succeed later. */
  get temporary(): boolean {
    return TEMPORARY.has(this.code);
  }
}

const TEMPORARY: ReadonlySet<string> = new Set(['NETWORK', 'TIMEOUT', 'RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL']);

/** Returns the error for a response without data. The first error that has a code decides. */
export function fromErrors(errors: readonly GraphQLFormattedError[] | undefined): ConvokeError {
  const list = errors ?? [];
  const first = list.find((e) => typeof e.extensions?.['code'] === 'string') ?? list[0];
  if (!first) return new ConvokeError('BAD_RESPONSE', 'The response has neither data nor errors.');
  const code = first.extensions?.['code'];
  const after = first.extensions?.['retryAfterSeconds'];
  return new ConvokeError(typeof code === 'string' ? code : 'BAD_RESPONSE', first.message, {
    errors: list,
    retryAfterSeconds: typeof after === 'number' ? after : undefined,
  });
}

/** Returns the error for anything that was thrown. An error of another kind is one of the network. */
export function fromThrown(thrown: unknown): ConvokeError {
  if (thrown instanceof ConvokeError) return thrown;
  const message = thrown instanceof Error && thrown.message ? thrown.message : 'The connection failed.';
  return new ConvokeError('NETWORK', message, { cause: thrown });
}
