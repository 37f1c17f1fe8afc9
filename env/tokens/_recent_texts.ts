/** A bounded memory of texts and their ids. */

/** The ids of the texts that were met last. */
export class RecentTexts {
  readonly #ids = new Map<string, readonly number[]>();
  readonly #most: number;

  /** @param most How many texts it keeps. */
  constructor(most: number) {
    this.#most = most;
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
    if (this.#ids.size <= this.#most) return ids;
    for (const oldest of this.#ids.keys()) {
      this.#ids.delete(oldest);
      break;
    }
    return ids;
  }
}
