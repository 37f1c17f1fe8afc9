/**
 * Reads the header of a `.safetensors` file: which tensors it holds, of what type and shape, and where.
 *
 * @see huggingface/safetensors README "Format", and `safetensors/src/tensor.rs` for what it refuses.
 */

import { DataError } from "../../../env/errors.ts";
import { ByteFile, isJsonObject, parseJsonObject } from "./byte_file.ts";
import { isDtype } from "./dtype.ts";
import {
  elements,
  isCount,
  isShape,
  shapeText,
  type StoredTensor,
  tensorBytes,
} from "./tensor.ts";

/** A header of more bytes is refused by the format. */
const MOST_HEADER_BYTES = 100_000_000;

/** Its length, before the header. */
const LENGTH_BYTES = 8;

/** What a header says. */
export interface SafetensorsFile {
  /** By name, in the order of their bytes. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** `__metadata__`; empty where there is none. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads and checks a header. The tensors' bytes stay where they are.
 * @throws {DataError} If the file is cut off or too long, or the header is not whole: a type that is unknown, a shape
 * that does not fit its bytes, bytes that overlap, lie outside or belong to none.
 */
export function readSafetensors(path: string): SafetensorsFile {
  using file = new ByteFile(path);
  const header = readHeader(file);
  const { __metadata__: metadata = {}, ...entries } = header.json;
  const dataStart = LENGTH_BYTES + header.bytes;
  const placed = Object.entries(entries)
    .map(([name, value]) => readPlace(path, { name, value }))
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  checkTiling(path, { placed, dataBytes: file.size - dataStart });
  const tensors = new Map(
    placed.map((place) => [
      place.tensor.name,
      stored(place, { path, offset: dataStart + place.begin }),
    ]),
  );
  return { tensors, metadata: checkMetadata(path, metadata) };
}

function stored(
  { tensor }: Place,
  range: { path: string; offset: number },
): StoredTensor {
  const offsets = tensor.shape.map(() => 0);
  const whole = { offsets, sizes: tensor.shape, locate: () => range };
  return { ...tensor, chunks: [whole] };
}

function readHeader(
  file: ByteFile,
): { json: Record<string, unknown>; bytes: number } {
  if (file.size < LENGTH_BYTES) {
    throw fault(file.path, `it has ${file.size} bytes, fewer than a header`);
  }
  const view = new DataView(file.readSmall(0, LENGTH_BYTES).buffer);
  const bytes = Number(view.getBigUint64(0, true));
  if (bytes > MOST_HEADER_BYTES || bytes > file.size - LENGTH_BYTES) {
    throw fault(
      file.path,
      `its header says it has ${bytes} bytes, in a file of ${file.size}`,
    );
  }
  const header = file.readSmall(LENGTH_BYTES, bytes);
  return { json: parseJsonObject(header, `${file.path}: header`), bytes };
}

interface Place {
  readonly tensor: Omit<StoredTensor, "chunks">;
  /** In bytes after the header. */
  readonly begin: number;
  readonly end: number;
}

function readPlace(
  path: string,
  { name, value }: { name: string; value: unknown },
): Place {
  if (!isJsonObject(value)) throw fault(path, `tensor "${name}" is no object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) {
    throw fault(
      path,
      `tensor "${name}" has the type ${
        JSON.stringify(dtype)
      }, which is unknown`,
    );
  }
  if (!isShape(shape)) {
    throw fault(path, `tensor "${name}" has no shape that can be`);
  }
  const [begin, end] = Array.isArray(offsets) ? offsets : [];
  if (!isCount(begin) || !isCount(end)) {
    throw fault(path, `tensor "${name}" does not say where its bytes are`);
  }
  const tensor = { name, dtype, shape };
  if (end - begin !== tensorBytes(tensor)) {
    throw fault(
      path,
      `tensor "${name}" has ${end - begin} bytes, and ${
        elements(shape)
      } elements of ${dtype} ${shapeText(shape)} are ${tensorBytes(tensor)}`,
    );
  }
  return { tensor, begin, end };
}

/** Tensors follow each other without gaps, up to the file's end. */
function checkTiling(
  path: string,
  { placed, dataBytes }: { placed: readonly Place[]; dataBytes: number },
): void {
  let at = 0;
  for (const { tensor: { name }, begin, end } of placed) {
    if (begin !== at) {
      throw fault(
        path,
        `tensor "${name}" begins at byte ${begin} of the data, and the one before it ends at ${at}`,
      );
    }
    at = end;
  }
  if (at < dataBytes) {
    throw fault(
      path,
      `its tensors end at byte ${at} of the data, and ${
        dataBytes - at
      } more bytes follow that no tensor owns`,
    );
  }
  if (at > dataBytes) {
    throw fault(
      path,
      `it is cut off: its tensors take ${at} bytes after the header, and ${dataBytes} are there`,
    );
  }
}

function checkMetadata(
  path: string,
  value: unknown,
): Record<string, string> {
  const words = isJsonObject(value) &&
    Object.values(value).every((word) => typeof word === "string");
  if (!words) throw fault(path, "its __metadata__ is no map of words");
  return value as Record<string, string>;
}

function fault(path: string, what: string): DataError {
  return new DataError(`"${path}": ${what}`, {
    path,
    hint: "download or write it again",
  });
}
