/** Retries with exponential backoff, jitter and a server's `Retry-After`; also polling, which is a retry at an even pace. */

import { setTimeout as delay } from "node:timers/promises";
import type { CallOptions } from "./types.ts";

/** Waits, and rejects with the signal's reason once that is aborted. */
export type Sleep = (ms: number, options: CallOptions) => Promise<void>;

/** Waits by the clock. Unlike `node:timers/promises` it rejects with the signal's reason itself. */
export async function sleep(ms: number, options: CallOptions): Promise<void> {
  try {
    await delay(ms, undefined, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

/** What is retried: an attempt that threw, or one whose value is a failure. */
export interface Retry<T> {
  /** Retries before this one. */
  readonly retries: number;
  readonly waitMs: number;
  readonly error?: unknown;
  readonly value?: T;
}

/** Settings of {@linkcode retry}. */
export interface RetryOptions<T> extends CallOptions {
  /** The first wait. */
  readonly backoffMs: number;
  /** By how much each wait is longer than the one before. Default: 2. */
  readonly factor?: number;
  /** Longest wait, but for what a server asks. Default: no limit. */
  readonly maxBackoffMs?: number;
  /** A number of [0, 1) for each retry, which moves its wait by up to half either way. Default: none is moved. */
  readonly jitter?: (retries: number) => number;
  /** Attempts beyond the first. Default: no limit. */
  readonly retries?: number;
  /** Nothing is retried later than so after the call. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Attempts that failed before this call: it begins with the wait after them. Default: 0. */
  readonly failures?: number;
  /** Whether another attempt may help after this error. Default: always. */
  readonly isRetried?: (error: unknown) => boolean;
  /** Whether an attempt failed though it returned. The last one's value is returned all the same. Default: never. */
  readonly isFailure?: (value: T) => boolean;
  /** What a server asks to wait, taken in place of the backoff. Default: it does not ask. */
  readonly retryAfterMs?: (error: unknown) => number | undefined;
  /** Called before each wait. */
  readonly onRetry?: (retry: Retry<T>) => void;
  /** Default: {@linkcode sleep}. */
  readonly sleep?: Sleep | undefined;
}

/**
 * Attempts something until it succeeds, may not be retried, or has been retried often or long enough.
 * @param attempt Gets the number of retries so far.
 * @throws The last attempt's error, or the signal's reason once it is aborted.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { retry } from "./retry.ts";
 *
 * const answer = await retry((retries) => {
 *   if (retries < 2) throw new Error("busy");
 *   return Promise.resolve(retries);
 * }, { backoffMs: 1, retries: 3 });
 * equal(answer, 2);
 * ```
 */
export async function retry<T>(
  attempt: (retries: number) => Promise<T>,
  options: RetryOptions<T>,
): Promise<T> {
  const { retries: most = Infinity, timeoutMs = Infinity } = options;
  const { failures = 0, signal, isRetried, isFailure, onRetry } = options;
  const wait = options.sleep ?? sleep;
  const deadline = performance.now() + timeoutMs;
  const isLast = (retries: number) =>
    retries >= most || performance.now() > deadline;
  if (failures > 0) {
    await wait(waitAfter({}, { retries: failures - 1, options }), { signal });
  }
  for (let retries = failures;; retries++) {
    let failure: { value: T } | { error: unknown };
    try {
      failure = { value: await attempt(retries) };
      if (!isFailure?.(failure.value) || isLast(retries)) return failure.value;
    } catch (error) {
      signal?.throwIfAborted();
      if (isRetried?.(error) === false || isLast(retries)) throw error;
      failure = { error };
    }
    const waitMs = waitAfter(failure, { retries, options });
    onRetry?.({ retries, waitMs, ...failure });
    await wait(waitMs, { signal });
  }
}

function waitAfter<T>(
  failure: object,
  { retries, options }: { retries: number; options: RetryOptions<T> },
): number {
  const { backoffMs, factor = 2, maxBackoffMs = Infinity, jitter } = options;
  const asked = "error" in failure && options.retryAfterMs?.(failure.error);
  if (typeof asked === "number") return asked;
  return Math.min(backoffMs * factor ** retries, maxBackoffMs) *
    (jitter === undefined ? 1 : 0.5 + jitter(retries));
}

/** Settings of {@linkcode poll}. */
export interface PollOptions extends CallOptions {
  readonly everyMs: number;
  /** Default: no limit. */
  readonly timeoutMs?: number;
  /** Default: {@linkcode sleep}. */
  readonly sleep?: Sleep | undefined;
}

/**
 * Asks at an even pace until there is something.
 * @returns It, or `undefined` after `timeoutMs`.
 * @throws The signal's reason once it is aborted, and what `ask` throws.
 */
export function poll<T>(
  ask: () => Promise<T | undefined>,
  options: PollOptions & { readonly timeoutMs?: never },
): Promise<T>;
export function poll<T>(
  ask: () => Promise<T | undefined>,
  options: PollOptions,
): Promise<T | undefined>;
export function poll<T>(
  ask: () => Promise<T | undefined>,
  { everyMs, ...options }: PollOptions,
): Promise<T | undefined> {
  return retry(ask, {
    ...options,
    backoffMs: everyMs,
    factor: 1,
    isRetried: () => false,
    isFailure: (found) => found === undefined,
  });
}
