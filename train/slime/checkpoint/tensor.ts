/**
 * Defines tensors that are stored in files, in any format. A tensor consists of chunks, each of which is one range of
 * bytes.
 */

import { type Dtype, DTYPE_BYTES } from "./dtype.ts";

/** A box within a tensor, given by its start and its size along each axis. */
export interface Box {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
}

/** The location of a box's bytes, which are stored in row-major order and without gaps. */
export interface ByteRange {
  readonly path: string;
  /** The offset of the first byte in the file. */
  readonly offset: number;
}

/** A part of a tensor that was written as one unit. */
export interface Chunk extends Box {
  /**
   * Returns the location of the chunk's bytes. The result is cached.
   * @throws {DataError} If the bytes cannot be found, or their shape or type differs from the chunk's description.
   */
  locate(): ByteRange;
}

/** A tensor stored in files. */
export interface StoredTensor {
  /** The name in the checkpoint. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** The chunks of the tensor. Each element is in exactly one of them. */
  readonly chunks: readonly Chunk[];
}

/** Returns the number of elements of a tensor with this shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Returns the size of a tensor in bytes. */
export function tensorBytes(tensor: Pick<StoredTensor, "dtype" | "shape">) {
  return elements(tensor.shape) * DTYPE_BYTES[tensor.dtype];
}

/** Formats a shape, such as `[36, 2560]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** Checks whether a value is a nonnegative safe integer. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Checks whether a value is a valid shape: at most eight axes, and few enough elements that their size in bytes is a
 * safe integer.
 */
export function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 8 &&
    value.every(isCount) &&
    Number.isSafeInteger(8 * elements(value));
}

/**
 * Returns the reason why boxes do not cover a shape exactly; `undefined` if each element is in exactly one box.
 *
 * The boxes must form nested grids: along the first axis, they form intervals without overlaps or gaps. Within each
 * interval, the same holds along the second axis, and so on. Ranks that share a tensor always write it in this form.
 */
export function tilingFault(
  shape: readonly number[],
  boxes: readonly Box[],
  axis = 0,
): string | undefined {
  if (axis === shape.length) {
    if (boxes.length === 1) return undefined;
    return boxes.length === 0
      ? "has no chunk"
      : `has ${boxes.length} chunks at the same position`;
  }
  const groups = Map.groupBy(
    boxes,
    ({ offsets, sizes }) => `${offsets[axis]}+${sizes[axis]}`,
  );
  const sorted = [...groups.values()].map((group) => ({
    group,
    start: group[0]!.offsets[axis]!,
    size: group[0]!.sizes[axis]!,
  })).toSorted((a, b) => a.start - b.start);
  let end = 0;
  for (const { start, size, group } of sorted) {
    if (start > end) {
      return `lacks ${indices(end, start)} along axis ${axis}`;
    }
    if (size === 0 && sorted.length > 1) {
      return `has an empty chunk at index ${start} along axis ${axis}`;
    }
    if (start < end) {
      return `has ${
        indices(start, Math.min(end, start + size))
      } along axis ${axis} twice`;
    }
    const fault = tilingFault(shape, group, axis + 1);
    if (fault !== undefined) return fault;
    end = start + size;
  }
  if (end === shape[axis]) return undefined;
  return end < shape[axis]!
    ? `lacks ${indices(end, shape[axis]!)} along axis ${axis}`
    : `extends to index ${end} along axis ${axis}, past its end at ${
      shape[axis]
    }`;
}

/** Describes the indices from `start` up to, but not including, `end`. */
function indices(start: number, end: number): string {
  return end - start === 1
    ? `index ${start}`
    : `indices ${start} to ${end - 1}`;
}
