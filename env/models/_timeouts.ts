/**
 * Implements timeouts of equal length for many concurrent calls. All calls share a single timer, which costs less than
 * one timer per call, since few calls time out.
 */

/** A pending timeout. */
interface Started {
  /** The time at which the timeout expires, in milliseconds on the `performance.now()` clock. */
  readonly dueAt: number;
  readonly onLate: () => void;
}

/** A set of timeouts of equal length that share one timer. */
export class Timeouts {
  readonly #ms: number;
  /** The pending timeouts, in the order in which they expire. */
  readonly #started = new Set<Started>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Creates an empty set.
   * @param ms The length of each timeout, in milliseconds.
   */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /**
   * Starts a timeout.
   * @param onLate Called once on expiry, unless the timeout is cancelled first.
   * @returns A function that cancels the timeout.
   */
  start(onLate: () => void): () => void {
    const one = { dueAt: performance.now() + this.#ms, onLate };
    this.#started.add(one);
    this.#timer ??= setTimeout(() => this.#check(), this.#ms);
    return () => {
      // Without pending timeouts, stop the timer so that it does not keep the process alive.
      if (this.#started.delete(one) && this.#started.size === 0) this.#rest();
    };
  }

  #check(): void {
    this.#rest();
    // A timer may fire up to a millisecond early.
    const now = performance.now() + 1;
    for (const one of this.#started) {
      if (one.dueAt > now) {
        this.#timer ??= setTimeout(() => this.#check(), one.dueAt - now + 1);
        return;
      }
      this.#started.delete(one);
      one.onLate();
    }
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
