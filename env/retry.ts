/** Retries calls with exponential backoff, jitter and `Retry-After`, and polls at a fixed interval. */

import { setTimeout as delay } from "node:timers/promises";
import type { CallOptions } from "./types.ts";

/** A function that waits. It rejects with the signal's reason once the signal is aborted. */
export type Sleep = (ms: number, options: CallOptions) => Promise<void>;

/** Waits in real time. Unlike `node:timers/promises`, it rejects with the signal's own reason. */
export async function sleep(ms: number, options: CallOptions): Promise<void> {
  try {
    await delay(ms, undefined, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  }
}

/** A failed attempt that is about to be retried. It threw an error, or its value counts as a failure. */
export interface Retry<T> {
  /** The number of retries before this one. */
  readonly retries: number;
  readonly waitMs: number;
  readonly error?: unknown;
  readonly value?: T;
}

/** Options for {@linkcode retry}. */
export interface RetryOptions<T> extends CallOptions {
  /** The first wait, in milliseconds. */
  readonly backoffMs: number;
  /** The factor by which the wait grows after each attempt. Default: 2. */
  readonly factor?: number;
  /** The longest wait before jitter, in milliseconds; `retryAfterMs` may exceed it. Default: no limit. */
  readonly maxBackoffMs?: number;
  /** Returns a number in `[0, 1)`, which is converted to a factor for the wait in `[0.5, 1.5)`. Default: no jitter. */
  readonly jitter?: (retries: number) => number;
  /** The maximum number of retries, including `failures`. Default: no limit. */
  readonly retries?: number;
  /**
   * The time in milliseconds, counted from the call, after which a failed attempt is not retried. Default: no limit.
   */
  readonly timeoutMs?: number | undefined;
  /**
   * The number of attempts that failed before this call. If it is positive, the call waits before its first attempt, as
   * it would after that many failures. Default: 0.
   */
  readonly failures?: number;
  /** Whether another attempt may help after this error. Default: always. */
  readonly isRetried?: (error: unknown) => boolean;
  /** Whether a returned value counts as a failure. The value of the last attempt is always returned. Default: never. */
  readonly isFailure?: (value: T) => boolean;
  /** Returns the wait that a server requested, in milliseconds, which replaces the backoff. Default: none. */
  readonly retryAfterMs?: (error: unknown) => number | undefined;
  /** Called before each wait. */
  readonly onRetry?: (retry: Retry<T>) => void;
  /** Waits between attempts. Default: {@linkcode sleep}. */
  readonly sleep?: Sleep | undefined;
}

/**
 * Calls `attempt` until it succeeds, fails with an error that is not retried, or runs out of retries or time.
 * @param attempt Receives the number of retries so far, including `failures`.
 * @throws The last attempt's error, or the signal's reason once the signal is aborted.
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

/** Options for {@linkcode poll}. */
export interface PollOptions extends CallOptions {
  readonly everyMs: number;
  /** The time in milliseconds after which an unsuccessful call is the last. Default: no limit. */
  readonly timeoutMs?: number;
  /** Waits between attempts. Default: {@linkcode sleep}. */
  readonly sleep?: Sleep | undefined;
}

/**
 * Calls `ask`, with a fixed pause between calls, until it returns a value other than `undefined`.
 * @returns The value, or `undefined` after `timeoutMs`.
 * @throws The signal's reason once the signal is aborted, and anything that `ask` throws.
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
