/** A stopwatch for the phases of a step, in seconds. */

/** A stopwatch that adds up the durations of phases between two laps. */
export class Stopwatch {
  readonly #now: () => number;
  #startedAtMs: number;
  #seconds: Record<string, number> = {};

  /**
   * Creates a stopwatch whose first lap starts now.
   * @param now A monotonic clock in milliseconds.
   */
  constructor(now: () => number) {
    this.#now = now;
    this.#startedAtMs = now();
  }

  /** Runs `action`, adds its duration to a phase, and returns its result. */
  async time<T>(phase: string, action: () => Promise<T>): Promise<T> {
    const startedAtMs = this.#now();
    try {
      return await action();
    } finally {
      const seconds = (this.#now() - startedAtMs) / 1000;
      this.#seconds[phase] = (this.#seconds[phase] ?? 0) + seconds;
    }
  }

  /** Returns the number of seconds since the last lap, per phase and in `total`, and starts a new lap. */
  lap(): Record<string, number> {
    const nowMs = this.#now();
    const seconds = {
      ...this.#seconds,
      total: (nowMs - this.#startedAtMs) / 1000,
    };
    this.#startedAtMs = nowMs;
    this.#seconds = {};
    return seconds;
  }
}
