/** Limits the combined request rate of all conversations in a run. */

import type { CallOptions } from "../types.ts";
import { type Sleep, sleep } from "../retry.ts";

/** Options for {@linkcode createRateLimiter}. */
export interface RateLimitOptions {
  /** Maximum number of requests per minute, which are spread evenly, or 0 for no limit. */
  readonly requestsPerMinute: number;
  /** Returns the time of a monotonic clock, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  readonly sleep?: Sleep;
}

/** A queue in which calls wait until they may start, in the order in which they were requested. */
export interface RateLimiter {
  /**
   * Resolves when the caller may start its call.
   * @throws The signal's reason if it is aborted.
   */
  turn(options?: CallOptions): Promise<void>;
  /** Makes all calls that have not started wait for at least `ms` milliseconds. Used if the server requests a wait. */
  pause(ms: number): void;
}

/** Creates a rate limiter with an empty queue. The first call may start at once. */
export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  const { requestsPerMinute, now = () => performance.now() } = options;
  const interval = requestsPerMinute > 0 ? 60_000 / requestsPerMinute : 0;
  /** The earliest time at which the next call may start. */
  let free = -Infinity;
  let waiting = 0;
  /** Resolves when the last call in the queue has started or has been aborted. */
  let last = Promise.resolve();

  /**
   * Waits as the head of the queue. Only the head uses the timer, so that a pause delays all calls and keeps their
   * order.
   */
  async function waitAsHead(call: CallOptions): Promise<void> {
    let place = now();
    for (let wait = free - place; wait > 0; wait = free - now()) {
      place = free;
      await (options.sleep ?? sleep)(wait, call);
    }
    // Counted from the scheduled time, not from now, so that late timers do not lower the rate.
    free = place + interval;
  }

  return {
    async turn(call = {}) {
      call.signal?.throwIfAborted();
      if (waiting === 0 && free <= now()) {
        free = now() + interval;
        return;
      }
      const before = last;
      const place = Promise.withResolvers<void>();
      last = place.promise;
      waiting++;
      try {
        await orAborted(before, call);
        await waitAsHead(call);
      } finally {
        waiting--;
        // An aborted waiter passes its slot on, but not before the slot is due.
        before.then(place.resolve);
      }
    },
    pause(ms) {
      free = Math.max(free, now() + ms);
    },
  };
}

/**
 * Waits for `promise`, which must never reject, or for the signal.
 * @throws The signal's reason if it is aborted.
 */
function orAborted(
  promise: Promise<void>,
  { signal }: CallOptions,
): Promise<void> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
  });
}
