/** Implements a bounded cache that maps texts to token ids. */

/** A cache that keeps the token ids of the most recently used texts. */
export class RecentTexts {
  readonly #ids = new Map<string, readonly number[]>();
  readonly #max: number;

  /**
   * Creates an empty cache.
   * @param max The maximum number of texts.
   */
  constructor(max: number) {
    this.#max = max;
  }

  get(text: string): readonly number[] | undefined {
    const known = this.#ids.get(text);
    if (known === undefined) return undefined;
    this.#ids.delete(text);
    this.#ids.set(text, known);
    return known;
  }

  remember(text: string, ids: readonly number[]): readonly number[] {
    this.#ids.set(text, ids);
    if (this.#ids.size <= this.#max) return ids;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      break;
    }
    return ids;
  }
}
