/** Time, for tests that move it. */
export interface Clock {
  /** Milliseconds since any fixed moment. */
  now(): number;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timeout: unknown): void;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimeout: (run, milliseconds) => setTimeout(run, milliseconds),
  clearTimeout: (timeout) => clearTimeout(timeout as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};

/** How long a client waits between attempts, in milliseconds. */
export interface Backoff {
  /** The longest wait before the second attempt. */
  first: number;
  /** The longest wait at all. */
  most: number;
}

export const defaultBackoff: Backoff = { first: 500, most: 30_000 };

/**
 * Returns the wait before an attempt; attempt 1 is the first one after a break. The wait doubles
 * with each attempt, and half of it is random, so that clients do not come back all at once.
 */
export function waitBefore(attempt: number, backoff: Backoff, clock: Clock, retryAfterSeconds = 0): number {
  const longest = Math.min(backoff.most, backoff.first * 2 ** Math.min(attempt - 1, 30));
  return retryAfterSeconds * 1000 + longest / 2 + (clock.random() * longest) / 2;
}
