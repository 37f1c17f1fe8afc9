/** Waiting that can be cut short. */

import type { CallOptions } from "./types.ts";

/** Waits, and rejects with the signal's reason once that is aborted. */
export type Sleep = (ms: number, options: CallOptions) => Promise<void>;

/** Waits by the clock. */
export function sleepByClock(
  ms: number,
  { signal }: CallOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const timer = setTimeout(finish, ms);
    signal?.addEventListener("abort", cancel, { once: true });
    function finish(): void {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }
    function cancel(): void {
      clearTimeout(timer);
      reject(signal?.reason);
    }
  });
}
