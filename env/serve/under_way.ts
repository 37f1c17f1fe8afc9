/** What a server has begun and not yet ended, so that one that is told to end waits for that and for nothing else. */

/** Counts work. A client that is still sending its request has begun none. */
export class UnderWay {
  #count = 0;
  #idle = Promise.withResolvers<void>();

  /** Does some work, which counts until it has ended in any way. */
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

  /** Resolves once no work is under way. */
  async ended(): Promise<void> {
    while (this.#count > 0) await this.#idle.promise;
  }
}
