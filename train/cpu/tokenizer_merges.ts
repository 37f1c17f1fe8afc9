/**
 * Learns a byte-pair vocabulary: what saves most symbols becomes a symbol, over and over. That is either the
 * most frequent pair of neighbours, or a whole piece, which needs no symbols for its parts.
 *
 * @see Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2.
 * Differs: whole pieces, which Hugging Face's encoder takes before any merge (`ignore_merges`).
 */

/** A piece of text in symbols, seen `count` times. */
export interface Piece {
  /** `[n]`, rewritten as symbols are learnt. */
  symbols: number[];
  readonly count: number;
}

/** The symbols so far: bytes, merged pairs, whole pieces. */
export class SymbolTable {
  readonly #texts: string[] = [];
  readonly #ids = new Map<string, number>();
  readonly #merged = new Set<string>();
  /** Merges in the order in which they were learnt, as texts. */
  readonly merges: [left: string, right: string][] = [];

  /** @param alphabet The text of each first symbol, one character each. */
  constructor(alphabet: readonly string[]) {
    for (const text of alphabet) this.#add(text);
  }

  /** Texts by id. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  /** The id of a text. @throws {RangeError} If there is no such symbol. */
  id(text: string): number {
    const id = this.#ids.get(text);
    if (id !== undefined) return id;
    throw new RangeError(`There is no symbol "${text}"`);
  }

  /** Whether some pair makes the same text already. */
  hasMerged(left: number, right: number): boolean {
    return this.#merged.has(this.#text(left) + this.#text(right));
  }

  /** Makes a pair one symbol; that of a whole piece of the same text, where there is one. */
  merge(left: number, right: number): number {
    const pair: [string, string] = [this.#text(left), this.#text(right)];
    const text = pair.join("");
    this.merges.push(pair);
    this.#merged.add(text);
    return this.#ids.get(text) ?? this.#add(text);
  }

  /** Makes a piece one symbol. */
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
  /** The pieces that may hold it. */
  readonly where: Set<number>;
}

/** What saves a single symbol in the whole corpus is not worth one. */
const MIN_SAVED = 2;

/**
 * Learns until the table has `size` symbols, or nothing is left that is worth one. Ties go to pairs, of them to
 * that of older symbols, so the result depends on nothing but the arguments.
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
  /** How many symbols fewer the corpus has if the piece is one. */
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

/** Symbols are numbered below this, so that a pair of them is one number. */
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

/** Replaces the pair from the left, as encoders do. */
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
