/** Yields to the event loop, so that long work on one thread does not block signals, timers and requests. */

/** The longest time for which work may block the event loop, in milliseconds. */
const EVERY_MS = 50;

/**
 * Creates a function that a long loop awaits in each iteration. Once every 50 ms it yields to the event loop; otherwise
 * it resolves at once.
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
