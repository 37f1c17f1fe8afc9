/** Counts the requests that a server is handling, so that a shutdown can wait for them. */

/** A counter of the requests in flight. A request that is still being received does not count. */
export class InFlight {
  #count = 0;
  #idle = Promise.withResolvers<void>();

  /** Runs `work`, which counts as in flight until it succeeds or fails. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#count++;
    try {
      return await work();
    } finally {
      if (--this.#count === 0) {
        this.#idle.resolve();
        this.#idle = Promise.withResolvers<void>();
      }
    }
  }

  /** Resolves when no work is in flight. */
  async ended(): Promise<void> {
    while (this.#count > 0) await this.#idle.promise;
  }
}
