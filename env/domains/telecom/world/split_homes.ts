/** Which split something composed belongs to: it stays where it first was, and splits fill by their shares. */

/** The splits of a composed world. */
export type ComposedSplit = "train" | "dev" | "test";

/** Deals keys to splits. */
export class SplitHomes {
  readonly #shares: readonly (readonly [ComposedSplit, number])[];
  readonly #homes = new Map<string, ComposedSplit>();
  readonly #filled = new Map<ComposedSplit, number>();

  /** @param testShare The share of dev, and that of test; the rest is train's. */
  constructor(testShare: number) {
    const share = Math.min(testShare, 0.45);
    const shares = [["train", 1 - 2 * share], ["dev", share], ["test", share]];
    this.#shares = (shares as [ComposedSplit, number][])
      .filter(([, share]) => share > 0);
  }

  /** The split of a key; of a new one, the split that has the least of what it should have. */
  of(key: string): ComposedSplit {
    return this.#homes.get(key) ?? this.#emptiest();
  }

  /** Adds one thing of this key to its split. */
  add(key: string): ComposedSplit {
    const home = this.of(key);
    this.#homes.set(key, home);
    this.#filled.set(home, (this.#filled.get(home) ?? 0) + 1);
    return home;
  }

  #emptiest(): ComposedSplit {
    const filled = this.#shares.map(([name, share]) =>
      [name, (this.#filled.get(name) ?? 0) / share] as const
    );
    return filled.toSorted(([, a], [, b]) => a - b)[0]![0];
  }
}
