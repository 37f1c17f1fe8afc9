/**
 * Seeded randomness. Every random choice in taulab uses an {@linkcode Rng} that is passed in, so the same seed gives
 * the same episode at any concurrency.
 */

/** A stream of random numbers; the same seed gives the same stream on any machine. */
export interface Rng {
  /** Returns a uniform number in `[0, 1)` with 32 random bits. */
  next(): number;
  /**
   * Returns a uniform integer in `[0, n)`.
   * @throws {RangeError} If `n` is not a positive integer.
   */
  int(n: number): number;
  /**
   * Returns one of `items`, each with the same probability.
   * @throws {RangeError} If `items` is empty.
   */
  pick<T>(items: readonly T[]): T;
  /** Returns a new array with `items` in random order (Fisher–Yates). */
  shuffle<T>(items: readonly T[]): T[];
  /** Returns the stream's state as four 32-bit words, for storage in a checkpoint. See {@linkcode rngFromState}. */
  state(): [number, number, number, number];
}

/**
 * Creates a stream from a seed. The other arguments name the stream's purpose and make streams from the same seed
 * independent: `createRng(seed, "rollout", step, sample)`.
 */
export function createRng(...parts: readonly (number | string)[]): Rng {
  const word = hashWords(parts.join("\u0000"));
  const rng = rngFromState([word(), word(), word(), word()]);
  for (let i = 0; i < 12; i++) rng.next();
  return rng;
}

/**
 * Creates a stream that continues from a state returned by {@linkcode Rng.state}.
 * @see Doty-Humphrey, PractRand, `sfc32`.
 */
export function rngFromState(
  state: readonly [number, number, number, number],
): Rng {
  let [a, b, c, d] = state;
  function next(): number {
    const t = (a + b | 0) + d | 0;
    d = d + 1 | 0;
    a = b ^ b >>> 9;
    b = c + (c << 3) | 0;
    c = (c << 21 | c >>> 11) + t | 0;
    return (t >>> 0) / 4294967296;
  }
  function int(n: number): number {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(
        `Cannot draw an integer below ${n}: the bound must be a positive integer`,
      );
    }
    return Math.floor(next() * n);
  }
  return {
    next,
    int,
    pick<T>(items: readonly T[]): T {
      if (items.length === 0) {
        throw new RangeError("Cannot pick from an empty list");
      }
      return items[int(items.length)]!;
    },
    shuffle<T>(items: readonly T[]): T[] {
      const out = items.slice();
      for (let i = out.length - 1; i > 0; i--) {
        const j = int(i + 1);
        [out[i], out[j]] = [out[j]!, out[i]!];
      }
      return out;
    },
    state: () => [a, b, c, d],
  };
}

/** Derives an unsigned 32-bit seed from a seed and other values, for APIs that take a number. */
export function deriveSeed(...parts: readonly (number | string)[]): number {
  return hashWords(parts.join("\u0000"))() >>> 0;
}

/**
 * Returns a generator of 32-bit words that depend on every character of `text`.
 * @see Bryc, `xmur3` (MurmurHash3's mixing).
 */
function hashWords(text: string): () => number {
  let h = 1779033703 ^ text.length;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353);
    h = h << 13 | h >>> 19;
  }
  return () => {
    h = Math.imul(h ^ h >>> 16, 2246822507);
    h = Math.imul(h ^ h >>> 13, 3266489909);
    h ^= h >>> 16;
    return h | 0;
  };
}
