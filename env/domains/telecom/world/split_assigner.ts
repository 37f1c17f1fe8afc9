/**
 * Assigns composed tasks and customers to splits. A key stays in the split to which it was first assigned, and the
 * splits are filled in proportion to their shares.
 */

/** A split of a composed world. */
export type ComposedSplit = "train" | "dev" | "test";

/** Assigns keys to splits. */
export class SplitAssigner {
  readonly #shares: readonly (readonly [ComposedSplit, number])[];
  readonly #assigned = new Map<string, ComposedSplit>();
  readonly #filled = new Map<ComposedSplit, number>();

  /**
   * Creates an assigner with empty splits.
   * @param testShare The share of each of the dev and test splits, at most 0.45. The train split gets the rest.
   */
  constructor(testShare: number) {
    const share = Math.min(testShare, 0.45);
    const shares = [["train", 1 - 2 * share], ["dev", share], ["test", share]];
    this.#shares = (shares as [ComposedSplit, number][])
      .filter(([, share]) => share > 0);
  }

  /** Returns a key's split or, for a new key, the split that is furthest below its share. */
  of(key: string): ComposedSplit {
    return this.#assigned.get(key) ?? this.#emptiest();
  }

  /** Adds an item with the given key to the key's split, and returns the split. */
  add(key: string): ComposedSplit {
    const home = this.of(key);
    this.#assigned.set(key, home);
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
