import { JobError } from "./types";

export interface BackoffOptions {
  readonly maxAttempts: number;
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor: number;
  /** The share of a delay that is left to chance, from 0 to 1. */
  readonly jitter: number;
}

export const DEFAULT_BACKOFF: BackoffOptions = {
  maxAttempts: 5,
  initialMs: 200,
  maxMs: 30_000,
  factor: 2,
  jitter: 0.2,
};

/** How long to wait before the next attempt, or undefined when there is to be none. */
export function nextDelay(
  error: Error,
  attempt: number,
  options: BackoffOptions = DEFAULT_BACKOFF,
  random: () => number = Math.random,
): number | undefined {
  if (error instanceof JobError && !error.retryable) {
    return undefined;
  }
  if (attempt >= options.maxAttempts) {
    return undefined;
  }
  const plain = options.initialMs * options.factor ** (attempt - 1);
  const capped = Math.min(plain, options.maxMs);
  const spread = capped * options.jitter;
  return Math.round(capped - spread + 2 * spread * random());
}
