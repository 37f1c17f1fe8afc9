/** Timeouts of one length, of many calls at once: few are reached, so that one timer serves them all. */

/** One that was started. */
interface Started {
  /** By `performance.now()`. */
  readonly dueAt: number;
  readonly onLate: () => void;
}

/** Timeouts of one length. */
export class Timeouts {
  readonly #ms: number;
  /** In the order in which they are due. */
  readonly #started = new Set<Started>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param ms Milliseconds of each. */
  constructor(ms: number) {
    this.#ms = ms;
  }

  /**
   * Starts one.
   * @param onLate Called once, unless it is cancelled before.
   * @returns What cancels it.
   */
  start(onLate: () => void): () => void {
    const one = { dueAt: performance.now() + this.#ms, onLate };
    this.#started.add(one);
    this.#timer ??= setTimeout(() => this.#check(), this.#ms);
    return () => {
      // With none left there is no timer, which would keep the process alive.
      if (this.#started.delete(one) && this.#started.size === 0) this.#rest();
    };
  }

  #check(): void {
    this.#rest();
    // A timer may be some part of a millisecond early.
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
