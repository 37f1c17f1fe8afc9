/** A tensor that lies in files, whatever the format: boxes of it, each one range of bytes. */

import { type Dtype, DTYPE_BYTES } from "./dtype.ts";

/** A box within a tensor: where it begins and how far it goes along each axis. */
export interface Box {
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
}

/** Bytes of a box, row after row, without gaps. */
export interface ByteRange {
  readonly path: string;
  /** Where they begin in the file. */
  readonly offset: number;
}

/** A part of a tensor that was written as one. */
export interface Chunk extends Box {
  /**
   * Where its bytes are; looked up once.
   * @throws {DataError} If they cannot be found, or are of another shape or type than promised.
   */
  locate(): ByteRange;
}

/** A tensor that lies in files. */
export interface StoredTensor {
  /** As its checkpoint calls it. */
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Each element in exactly one of them. */
  readonly chunks: readonly Chunk[];
}

/** Elements of a shape. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Bytes of a tensor. */
export function tensorBytes(tensor: Pick<StoredTensor, "dtype" | "shape">) {
  return elements(tensor.shape) * DTYPE_BYTES[tensor.dtype];
}

/** A shape as people write it: `[36, 2560]`. */
export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(", ")}]`;
}

/** Whether a value is a whole number from 0 on, exact. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Whether a value is the shape of a tensor that can be: few axes, its elements countable. */
export function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 8 &&
    value.every(isCount) &&
    Number.isSafeInteger(8 * elements(value));
}

/**
 * What is wrong with how boxes tile a shape; `undefined` where each element lies in exactly one.
 *
 * They have to form a grid of grids: along the first axis they fall into intervals that neither overlap nor leave
 * a gap, within each along the second, and so on. Ranks that share a tensor always write it so.
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
      : `has ${boxes.length} chunks of the same place`;
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
    if (start > end) return `lacks ${end} to ${start} along axis ${axis}`;
    if (start < end || size === 0 && sorted.length > 1) {
      return `has ${start} to ${end} along axis ${axis} twice`;
    }
    const fault = tilingFault(shape, group, axis + 1);
    if (fault !== undefined) return fault;
    end = start + size;
  }
  if (end === shape[axis]) return undefined;
  return end < shape[axis]!
    ? `lacks ${end} to ${shape[axis]} along axis ${axis}`
    : `goes to ${end} along axis ${axis}, past its end at ${shape[axis]}`;
}
