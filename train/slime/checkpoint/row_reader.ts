/** Reads rows of a tensor into one buffer, from all of the chunks that contain them. */

import { DataError } from "../../../env/errors.ts";
import { FilePool } from "./byte_file.ts";
import { type Dtype, DTYPE_BYTES } from "./dtype.ts";
import {
  type ByteRange,
  type Chunk,
  elements,
  type StoredTensor,
} from "./tensor.ts";
import type { Segment, ViewTensor } from "./tensor_view.ts";

/** A range of rows. */
export interface Rows {
  readonly row: number;
  readonly rows: number;
}

/** Returns the number of bytes per row of a tensor. */
export function rowBytes(tensor: ViewTensor): number {
  return DTYPE_BYTES[dtypeOf(tensor)] * elements(tensor.shape.slice(1));
}

/** Returns the type of a tensor's elements. */
export function dtypeOf({ segments }: ViewTensor): Dtype {
  return segments[0]!.source.dtype;
}

/** Reads rows into an internal buffer, one request at a time. Concurrent reads need separate readers. */
export class RowReader implements Disposable {
  readonly #files = new FilePool();
  #buffer = new Uint8Array(0);
  #scratch = new Uint8Array(0);

  /**
   * Reads consecutive rows.
   * @returns `rows` times {@linkcode rowBytes} bytes, valid until the next call.
   * @throws {DataError} If bytes are missing, a stored chunk does not match its description, or the tensor is sharded
   * along more than two axes.
   */
  async read(tensor: ViewTensor, { row, rows }: Rows): Promise<Uint8Array> {
    const bytes = rowBytes(tensor);
    if (this.#buffer.length < rows * bytes) {
      this.#buffer = new Uint8Array(rows * bytes);
    }
    const into = this.#buffer.subarray(0, rows * bytes);
    if (into.length === 0) return into;
    let start = 0;
    for (const segment of tensor.segments) {
      const from = Math.max(row, start);
      const to = Math.min(row + rows, start + segment.rows);
      if (from < to) {
        const part = into.subarray((from - row) * bytes, (to - row) * bytes);
        const inner = { row: segment.row + from - start, rows: to - from };
        await this.#readSource(segment, inner, part);
      }
      start += segment.rows;
    }
    return into;
  }

  [Symbol.dispose](): void {
    this.#files[Symbol.dispose]();
  }

  async #readSource(
    { source, lead }: Segment,
    { row, rows }: Rows,
    into: Uint8Array,
  ): Promise<void> {
    const axis = lead.length;
    let filled = 0;
    for (const chunk of chunksAt(source, lead)) {
      const first = chunk.offsets[axis]!;
      const from = Math.max(row, first);
      const to = Math.min(row + rows, first + chunk.sizes[axis]!);
      if (from >= to) continue;
      filled += await this.#readChunk(
        { source, chunk, range: chunk.locate(), lead },
        { row: from, rows: to - from },
        { into, at: from - row, of: rows },
      );
    }
    if (filled !== into.length) {
      throw new DataError(
        `The chunks of "${source.name}" contain only ${filled} of ${into.length} bytes`,
        { hint: "save the checkpoint again" },
      );
    }
  }

  /**
   * Copies into the buffer the part of a chunk that overlaps the rows.
   * @returns The number of bytes copied.
   */
  async #readChunk(
    { source, chunk, range, lead }: {
      source: StoredTensor;
      chunk: Chunk;
      range: ByteRange;
      lead: readonly number[];
    },
    { row, rows }: Rows,
    { into, at, of }: { into: Uint8Array; at: number; of: number },
  ): Promise<number> {
    const axis = lead.length;
    const width = DTYPE_BYTES[source.dtype];
    const inner = chunk.sizes.slice(axis + 1);
    const chunkRow = width * elements(inner);
    const fullRow = into.length / of;
    const rowInChunk = lead.reduce(
          (index, place, i) =>
            index * chunk.sizes[i]! + place - chunk.offsets[i]!,
          0,
        ) * chunk.sizes[axis]! + row - chunk.offsets[axis]!;
    const offset = range.offset + rowInChunk * chunkRow;
    const file = this.#files.open(range.path);
    if (chunkRow === fullRow) {
      const part = into.subarray(at * fullRow, (at + rows) * fullRow);
      await file.read(offset, part);
      return part.length;
    }
    if (inner.length !== 1) {
      throw new DataError(
        `"${source.name}" is sharded along more than two axes, which is not supported`,
      );
    }
    const part = this.#room(rows * chunkRow);
    await file.read(offset, part);
    const column = width * chunk.offsets[axis + 1]!;
    for (let i = 0; i < rows; i++) {
      into.set(
        part.subarray(i * chunkRow, (i + 1) * chunkRow),
        (at + i) * fullRow + column,
      );
    }
    return part.length;
  }

  #room(bytes: number): Uint8Array {
    if (this.#scratch.length < bytes) this.#scratch = new Uint8Array(bytes);
    return this.#scratch.subarray(0, bytes);
  }
}

const stacks = new WeakMap<StoredTensor, Map<number, Chunk[]>>();

/** Returns the chunks that overlap the layer (and expert) in `lead`; all chunks if `lead` is empty. */
function chunksAt(
  source: StoredTensor,
  lead: readonly number[],
): readonly Chunk[] {
  const [place, ...further] = lead;
  if (place === undefined) return source.chunks;
  let byLayer = stacks.get(source);
  if (byLayer === undefined) {
    byLayer = new Map();
    for (const chunk of source.chunks) {
      const first = chunk.offsets[0]!;
      for (let at = first; at < first + chunk.sizes[0]!; at++) {
        const there = byLayer.get(at);
        if (there) there.push(chunk);
        else byLayer.set(at, [chunk]);
      }
    }
    stacks.set(source, byLayer);
  }
  const there = byLayer.get(place) ?? [];
  return there.filter(({ offsets, sizes }) =>
    further.every((at, i) =>
      at >= offsets[i + 1]! && at < offsets[i + 1]! + sizes[i + 1]!
    )
  );
}
