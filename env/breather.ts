/** Long work on one thread that lets signals, timers and requests have their turn. */

/** Longest time that work keeps the thread for itself. */
const EVERY_MS = 50;

/**
 * What a loop awaits in each round: mostly nothing, and now and then one turn of the event loop.
 * @throws {DOMException} An `AbortError`, once the signal is aborted.
 */
export function createBreather(signal?: AbortSignal): () => Promise<void> {
  let last = performance.now();
  return async function breathe() {
    if (performance.now() - last >= EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve));
      last = performance.now();
    }
    signal?.throwIfAborted();
  };
}
