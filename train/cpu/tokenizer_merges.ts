/**
 * Learns byte-pair merges: the most frequent pair of neighbours becomes one symbol, over and over.
 *
 * @see Sennrich et al. 2016, "Neural Machine Translation of Rare Words with Subword Units", section 3.2.
 * Differs: a boundary may be barred, and a pair that meets a barred boundary anywhere is never merged.
 * @module
 */

/** Symbols in order, seen `count` times. */
export interface SymbolSequence {
  /** `[n]`, rewritten as merges are learnt. */
  symbols: number[];
  /** `[n - 1]`: whether the boundary after a symbol is barred; rewritten alongside. */
  barred: boolean[];
  readonly count: number;
}

/** The symbols so far, each a byte or two earlier ones. */
export class SymbolTable {
  readonly #texts: string[] = [];
  readonly #ids = new Map<string, number>();
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

  /** Whether the pair would make a text that is there already. */
  hasMerged(left: number, right: number): boolean {
    return this.#ids.has(this.#text(left) + this.#text(right));
  }

  /** Makes a pair one symbol. */
  merge(left: number, right: number): number {
    this.merges.push([this.#text(left), this.#text(right)]);
    return this.#add(this.#text(left) + this.#text(right));
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
  /** How often the pair meets at a barred boundary. */
  barred: number;
  /** The sequences that may hold it. */
  readonly where: Set<number>;
}

/** A pair seen once in the whole corpus is not worth a symbol. */
const MIN_COUNT = 2;

/**
 * Learns up to `limit` merges and applies them to `sequences`. Ties go to the pair of older symbols, so the
 * result depends on nothing but the arguments.
 * @returns How many were learnt; fewer than `limit` where no pair occurs twice any more.
 */
export function learnMerges(
  table: SymbolTable,
  sequences: readonly SymbolSequence[],
  limit: number,
): number {
  const pairs = new PairCounts();
  sequences.forEach((sequence, index) => pairs.add(sequence, index));
  for (let learnt = 0; learnt < limit; learnt++) {
    const best = pairs.best(table);
    if (best === null) return learnt;
    const merged = table.merge(best.left, best.right);
    for (const index of best.where) {
      const sequence = sequences[index];
      if (sequence === undefined) continue;
      pairs.remove(sequence, index);
      applyMerge(sequence, best, merged);
      pairs.add(sequence, index);
    }
  }
  return limit;
}

/** How many symbols the sequences have, each as often as it was seen. */
export function totalSymbols(sequences: readonly SymbolSequence[]): number {
  return sequences.reduce((sum, s) => sum + s.symbols.length * s.count, 0);
}

/** Symbols are numbered below this, so that a pair of them is one number. */
const RADIX = 1 << 20;

class PairCounts {
  readonly #pairs = new Map<number, Pair>();

  add(sequence: SymbolSequence, index: number): void {
    const { symbols, barred, count } = sequence;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = this.#pair(symbols[i]!, symbols[i + 1]!);
      pair.count += count;
      if (barred[i]) pair.barred += count;
      pair.where.add(index);
    }
  }

  remove(sequence: SymbolSequence, index: number): void {
    const { symbols, barred, count } = sequence;
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = this.#pair(symbols[i]!, symbols[i + 1]!);
      pair.count -= count;
      if (barred[i]) pair.barred -= count;
      pair.where.delete(index);
      if (pair.count === 0) this.#pairs.delete(keyOf(pair.left, pair.right));
    }
  }

  best(table: SymbolTable): Pair | null {
    let best: Pair | null = null;
    for (const pair of this.#pairs.values()) {
      if (pair.barred > 0 || pair.count < MIN_COUNT) continue;
      if (best !== null && !isBetter(pair, best)) continue;
      if (!table.hasMerged(pair.left, pair.right)) best = pair;
    }
    return best;
  }

  #pair(left: number, right: number): Pair {
    const key = keyOf(left, right);
    let pair = this.#pairs.get(key);
    if (pair === undefined) {
      pair = { left, right, count: 0, barred: 0, where: new Set() };
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
  sequence: SymbolSequence,
  { left, right }: Pair,
  merged: number,
): void {
  const { symbols, barred } = sequence;
  let to = 0;
  for (let from = 0; from < symbols.length; from++) {
    const isPair = symbols[from] === left && symbols[from + 1] === right;
    symbols[to] = isPair ? merged : symbols[from]!;
    if (isPair) from++;
    barred[to++] = barred[from] ?? false;
  }
  symbols.length = to;
  barred.length = Math.max(0, to - 1);
}
