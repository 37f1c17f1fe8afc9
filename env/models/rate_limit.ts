/** How often calls may begin, all conversations of a run together. */

import type { CallOptions } from "../types.ts";
import { type Sleep, sleep } from "../retry.ts";

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
  const interval = requestsPerMinute > 0 ? 60_000 / requestsPerMinute : 0;
  /** When the next caller may begin. */
  let free = -Infinity;
  let waiting = 0;
  /** Resolves when the last in the queue has begun or left. */
  let last = Promise.resolve();

  /** Only the head of the queue waits by the clock, so a pause moves everybody and changes no order. */
  async function waitAsHead(call: CallOptions): Promise<void> {
    let place = now();
    for (let wait = free - place; wait > 0; wait = free - now()) {
      place = free;
      await (options.sleep ?? sleep)(wait, call);
    }
    // From its place and not from now: a timer that wakes late does not lower the rate.
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
        // Who leaves early hands on the turn, and not before it has come.
        before.then(place.resolve);
      }
    },
    pause(ms) {
      free = Math.max(free, now() + ms);
    },
  };
}

/** Resolves with `promise`, which never rejects. @throws The signal's reason, once it is aborted. */
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
