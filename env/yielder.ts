/** Yields to the event loop, so that long work on one thread does not block signals, timers and requests. */

/** The time in milliseconds after which work yields to the event loop. */
const EVERY_MS = 50;

/**
 * Creates a function that a long loop awaits in each iteration. If at least 50 ms have passed since it last yielded, it
 * yields to the event loop; otherwise it resolves at once.
 * @throws The signal's reason, from the returned function, once the signal is aborted.
 */
export function createYielder(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async function yieldIfDue() {
    if (performance.now() - last >= EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
