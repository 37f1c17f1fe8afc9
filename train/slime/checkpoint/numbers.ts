/**
 * Inspects blocks of numbers in their stored format: whether the numbers are finite, all zero or all equal, and how far
 * two blocks differ. If the types of two blocks differ, one is rounded to the other's type.
 *
 * Equality is checked by a native memory comparison. Loops that inspect every block run over 32-bit words. Only two
 * blocks that differ are compared element by element.
 */

import { type Dtype, DTYPE_BYTES } from "./dtype.ts";

/** The floating-point types whose numbers are inspected. */
export type FloatDtype = "BF16" | "F16" | "F32";

/** Checks whether the numbers of an element type can be inspected. */
export function isFloat(dtype: Dtype): dtype is FloatDtype {
  return dtype === "BF16" || dtype === "F16" || dtype === "F32";
}

/** The properties of a tensor's numbers across all of its blocks. */
export class NumberStats {
  /** Whether there is a NaN or an infinity. */
  nonfinite = false;
  zero = true;
  constant = true;
  readonly #dtype: FloatDtype;
  /** The first element, repeated to fill a word. */
  #first: number | undefined;

  constructor(dtype: FloatDtype) {
    this.#dtype = dtype;
  }

  /**
   * Adds a block.
   * @param bytes The block, which must start at a multiple of four bytes in its buffer.
   */
  add(bytes: Uint8Array): void {
    const words = new Uint32Array(
      bytes.buffer,
      bytes.byteOffset,
      bytes.length >> 2,
    );
    const short = this.#dtype !== "F32";
    if (words.length > 0) this.#addWords(words, short);
    if (bytes.length % 4 === 2) {
      const last = bytes.at(-2)! | bytes.at(-1)! << 8;
      this.#addWords(Uint32Array.of((last << 16 | last) >>> 0), short);
    }
  }

  #addWords(words: Uint32Array, short: boolean): void {
    const exponents = { BF16: 0x7f807f80, F16: 0x7c007c00, F32: 0x7f800000 }[
      this.#dtype
    ];
    const one = { BF16: 0x00800080, F16: 0x04000400, F32: 0x00800000 }[
      this.#dtype
    ];
    const head = words[0]!;
    const first = this.#first ??= short
      ? (head << 16 | head & 0xffff) | 0
      : head | 0;
    let carried = 0;
    let any = 0;
    let other = 0;
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      // Only an exponent of all ones carries into the sign bit.
      carried |= (word & exponents) + one;
      any |= word;
      other |= word ^ first;
    }
    const signs = short ? 0x80008000 : 0x80000000;
    if (carried & signs) this.nonfinite = true;
    if (any & ~signs) this.zero = false;
    if (other !== 0) this.constant = false;
  }
}

/** The differences between two tensors, across all of their blocks. */
export class Difference {
  /**
   * The number of elements whose bits differ, except pairs of NaNs if one side was rounded. The value is NaN if the
   * tensors differ, but their type is not a {@linkcode FloatDtype}, so the elements cannot be counted.
   */
  count = 0;
  /** The index of the first differing element, in row-major order. */
  first = Infinity;
  /** Both values at that index. */
  values: readonly [number, number] = [NaN, NaN];
  /** The largest absolute difference between corresponding elements; NaN if a differing pair contains a NaN. */
  largest = 0;
  #elements = 0;
  readonly #sums = [0, 0, 0, 0];

  /**
   * Compares a block of both tensors, converted to the same type. If one side was `rounded`, two NaNs count as equal,
   * because rounding does not preserve a NaN's bits.
   * @param options.at The index of the block's first element in the tensor.
   */
  add(
    a: Uint8Array,
    b: Uint8Array,
    { dtype, at, rounded }: { dtype: FloatDtype; at: number; rounded: boolean },
  ): void {
    const [left, right] = [toFloats(a, dtype), toFloats(b, dtype)];
    const [leftBits, rightBits] = [bitsOf(a, dtype), bitsOf(b, dtype)];
    for (let i = 0; i < left.length; i++) {
      const [x, y] = [left[i]!, right[i]!];
      const bothNaN = rounded && x !== x && y !== y;
      if (leftBits[i] !== rightBits[i] && !bothNaN) {
        this.count++;
        if (at + i < this.first) {
          this.first = at + i;
          this.values = [x, y];
        }
        this.largest = Math.max(this.largest, Math.abs(x - y));
      }
      this.#sums[0]! += x;
      this.#sums[1]! += x * x;
      this.#sums[2]! += y;
      this.#sums[3]! += y * y;
    }
    this.#elements += left.length;
  }

  /** The mean and standard deviation of each side, over the blocks that differ. */
  get spreads(): readonly { readonly mean: number; readonly std: number }[] {
    const spread = (sum: number, squares: number) => {
      const mean = sum / this.#elements;
      return { mean, std: Math.sqrt(squares / this.#elements - mean * mean) };
    };
    const [a, aa, b, bb] = this.#sums as [number, number, number, number];
    return [spread(a, aa), spread(b, bb)];
  }
}

/**
 * Returns the narrower of two types, provided that the other type can represent all numbers of the narrower type.
 * Returns `undefined` if it cannot, or if a type is not a {@linkcode FloatDtype}.
 */
export function narrower(a: Dtype, b: Dtype): FloatDtype | undefined {
  if (!isFloat(a) || !isFloat(b)) return undefined;
  if (a === b) return a;
  if (a === "F32") return b;
  return b === "F32" ? a : undefined;
}

/**
 * Rounds numbers as PyTorch's `Tensor.to` does: to the nearest number, with ties to even.
 * @param bytes Numbers in float32, or already in `to`. Numbers that are already in `to` are returned unchanged.
 */
export function roundTo(
  bytes: Uint8Array,
  { from, to }: { from: FloatDtype; to: FloatDtype },
): Uint8Array {
  if (from === to) return bytes;
  if (to === "F16") {
    return new Uint8Array(Float16Array.from(toFloats(bytes, from)).buffer);
  }
  const words = new Uint32Array(
    bytes.buffer,
    bytes.byteOffset,
    bytes.length >> 2,
  );
  const rounded = new Uint16Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const isNaN = (word & 0x7fffffff) > 0x7f800000;
    rounded[i] = isNaN ? 0x7fc0 : (word + 0x7fff + (word >>> 16 & 1)) >>> 16;
  }
  return new Uint8Array(rounded.buffer);
}

function toFloats(bytes: Uint8Array, dtype: FloatDtype): ArrayLike<number> {
  if (dtype === "F32") {
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }
  if (dtype === "F16") {
    return new Float16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
  }
  const halves = bitsOf(bytes, "BF16");
  const words = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) words[i] = halves[i]! << 16;
  return new Float32Array(words.buffer);
}

function bitsOf(
  bytes: Uint8Array,
  dtype: FloatDtype,
): Uint16Array | Uint32Array {
  const { buffer, byteOffset, length } = bytes;
  return DTYPE_BYTES[dtype] === 2
    ? new Uint16Array(buffer, byteOffset, length >> 1)
    : new Uint32Array(buffer, byteOffset, length >> 2);
}
