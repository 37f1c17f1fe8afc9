/**
 * Learns a byte-pair vocabulary by greedy merging: in each round, the merge that saves the most symbols becomes a
 * symbol. A merge is either the most frequent pair of neighbors or a whole piece, which becomes one symbol without
 * symbols for its parts.
 * @see Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2. Differs: whole
 * pieces, which Hugging Face's encoder looks up before any merge (`ignore_merges`).
 */

/** A piece of text as symbols, with its number of occurrences. */
export interface Piece {
  /** The ids of the piece's symbols, `[n]`, rewritten as symbols are learned. */
  symbols: number[];
  readonly count: number;
}

/** The current symbols: bytes, merged pairs and whole pieces. */
export class SymbolTable {
  readonly #texts: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #merged = new Set<string>();
  /** Merges as pairs of texts, in the order in which they were learned. */
  readonly merges: [left: string, right: string][] = [];

  /**
   * Creates a table of the initial symbols.
   * @param alphabet The texts of these symbols, one character each.
   */
  constructor(alphabet: readonly string[]) {
    for (const text of alphabet) this.#add(text);
  }

  /** The texts of the symbols, indexed by id. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /**
   * Returns the id of the symbol with the given text.
   * @throws {RangeError} If there is no such symbol.
   */
  id(text: string): number {
    const id = this.#ids.get(text);
    if (id !== undefined) return id;
    throw new RangeError(`There is no symbol "${text}"`);
  }

  /** Checks whether the text of this pair has already been merged, possibly from another pair. */
  hasMerged(left: number, right: number): boolean {
    return this.#merged.has(this.#text(left) + this.#text(right));
  }

  /**
   * Adds a pair as a symbol and returns its id. If a symbol with the same text exists, such as a whole piece, returns
   * the id of that symbol instead.
   */
  merge(left: number, right: number): number {
    const pair: [string, string] = [this.#text(left), this.#text(right)];
    const text = pair.join("");
    this.merges.push(pair);
    this.#merged.add(text);
    return this.#ids.get(text) ?? this.#add(text);
  }

  /** Adds a whole piece as a symbol, unless a symbol with the same text exists, and returns the symbol's id. */
  addWhole(symbols: readonly number[]): number {
    const text = symbols.map((id) => this.#text(id)).join("");
    return this.#ids.get(text) ?? this.#add(text);
  }

  #text(id: number): string {
    return this.#texts[id] ?? "";
  }

  #add(text: string): number {
    const id = this.#texts.length;
    this.#texts.push(text);
    this.#ids.set(text, id);
    return id;
  }
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** The indices of the pieces that contain the pair. */
  readonly where: Set<number>;
}

/** The minimum number of symbols that a new symbol must save in the whole corpus. */
const MIN_SAVED = 2;

/**
 * Learns symbols until the table has `size` of them, or until no candidate saves enough. Ties are resolved in favor of
 * pairs, then of older symbols, so the result depends only on the arguments.
 */
export function learnSymbols(
  table: SymbolTable,
  pieces: readonly Piece[],
  size: number,
): void {
  const pairs = new PairCounts();
  pieces.forEach((piece, index) => pairs.add(piece, index));
  while (table.texts.length < size) {
    const pair = pairs.best(table);
    const whole = costliest(pieces);
    if (Math.max(pair?.count ?? 0, whole.saved) < MIN_SAVED) return;
    if (pair !== null && pair.count >= whole.saved) {
      mergeEverywhere(pair, { table, pieces, pairs });
    } else {
      rewrite(whole, { table, pieces, pairs });
    }
  }
}

interface Learning {
  readonly table: SymbolTable;
  readonly pieces: readonly Piece[];
  readonly pairs: PairCounts;
}

function mergeEverywhere(pair: Pair, { table, pieces, pairs }: Learning): void {
  const merged = table.merge(pair.left, pair.right);
  for (const index of pair.where) {
    const piece = pieces[index];
    if (piece === undefined) continue;
    pairs.remove(piece, index);
    piece.symbols = applyMerge(piece.symbols, pair, merged);
    pairs.add(piece, index);
  }
}

function rewrite({ index }: Saving, { table, pieces, pairs }: Learning): void {
  const piece = pieces[index];
  if (piece === undefined) return;
  pairs.remove(piece, index);
  piece.symbols = [table.addWhole(piece.symbols)];
}

interface Saving {
  readonly index: number;
  /** The number of symbols saved in the corpus if the piece becomes a symbol. */
  readonly saved: number;
}

function costliest(pieces: readonly Piece[]): Saving {
  let best: Saving = { index: -1, saved: 0 };
  pieces.forEach(({ symbols, count }, index) => {
    const saved = count < MIN_SAVED ? 0 : count * (symbols.length - 1);
    if (saved > best.saved) best = { index, saved };
  });
  return best;
}

/** An upper bound on symbol ids, so that a pair can be encoded as one number. */
const RADIX = 1 << 20;

class PairCounts {
  readonly #pairs = new Map<number, Pair>();

  add({ symbols, count }: Piece, index: number): void {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = this.#pair(symbols[i]!, symbols[i + 1]!);
      pair.count += count;
      pair.where.add(index);
    }
  }

  remove({ symbols, count }: Piece, index: number): void {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = this.#pair(symbols[i]!, symbols[i + 1]!);
      pair.count -= count;
      pair.where.delete(index);
      if (pair.count === 0) this.#pairs.delete(keyOf(pair.left, pair.right));
    }
  }

  best(table: SymbolTable): Pair | null {
    let best: Pair | null = null;
    for (const pair of this.#pairs.values()) {
      if (best !== null && !isBetter(pair, best)) continue;
      if (!table.hasMerged(pair.left, pair.right)) best = pair;
    }
    return best;
  }

  #pair(left: number, right: number): Pair {
    const key = keyOf(left, right);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, count: 0, where: new Set() };
      this.#pairs.set(key, pair);
    }
    return pair;
  }
}

function keyOf(left: number, right: number): number {
  return left * RADIX + right;
}

function isBetter(a: Pair, b: Pair): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return keyOf(a.left, a.right) < keyOf(b.left, b.right);
}

/** Replaces every occurrence of a pair, from left to right, as encoders do. */
function applyMerge(
  symbols: readonly number[],
  { left, right }: Pair,
  merged: number,
): number[] {
  const out: number[] = [];
  for (let i = 0; i < symbols.length; i++) {
    const isPair = symbols[i] === left && symbols[i + 1] === right;
    out.push(isPair ? merged : symbols[i]!);
    if (isPair) i++;
  }
  return out;
}
