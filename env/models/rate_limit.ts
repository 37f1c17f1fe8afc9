/**
 * How often calls may begin, all conversations of a run together.
 *
 * @module
 */

import type { CallOptions } from "../types.ts";
import { type Sleep, sleepByClock } from "../sleep.ts";

/** Settings of {@linkcode createRateLimiter}. */
export interface RateLimitOptions {
  /** Calls are spread evenly over the minute; 0 has no limit. */
  readonly requestsPerMinute: number;
  /** Milliseconds since some moment. Default: the clock. */
  readonly now?: () => number;
  readonly sleep?: Sleep;
}

/** Lets calls begin one after the other, in the order in which they asked. */
export interface RateLimiter {
  /** Resolves when the caller may begin. @throws The signal's reason, once it is aborted. */
  turn(options?: CallOptions): Promise<void>;
  /** Nobody begins for so long: a server that asks one call to wait means all of them. */
  pause(ms: number): void;
}

/** Makes a limiter. */
export function createRateLimiter(options: RateLimitOptions): RateLimiter {
  const { requestsPerMinute, now = () => performance.now() } = options;
  const { sleep = sleepByClock } = options;
  const interval = requestsPerMinute > 0 ? 60_000 / requestsPerMinute : 0;
  /** When the next caller may begin. */
  let free = -Infinity;
  let pausedUntil = -Infinity;
  /** Places are given out on arrival, so the order is kept without a queue. */
  function takePlace(): number {
    const place = Math.max(now(), free);
    free = place + interval;
    return place;
  }
  return {
    async turn(call = {}) {
      call.signal?.throwIfAborted();
      do {
        const wait = takePlace() - now();
        if (wait > 0) await sleep(wait, call);
        // A pause that came meanwhile makes everybody who waits take a new place behind it.
      } while (now() < pausedUntil);
    },
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, now() + ms);
      free = Math.max(free, pausedUntil);
    },
  };
}
