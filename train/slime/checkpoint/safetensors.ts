/**
 * Reads the header of a `.safetensors` file: the name, type, shape and position of each tensor.
 *
 * @see huggingface/safetensors README "Format", and `safetensors/src/tensor.rs` for what it rejects.
 */

import { DataError, messageOf } from "../../../env/errors.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../../env/python/python_json.ts";
import { ByteFile } from "./byte_file.ts";
import { isDtype } from "./dtype.ts";
import {
  isCount,
  isShape,
  shapeText,
  type StoredTensor,
  tensorBytes,
} from "./tensor.ts";

/** The maximum length of a header in bytes, according to the format's specification. */
const MAX_HEADER_BYTES = 100_000_000;

/** The size in bytes of the field before the header, which contains the header's length. */
const LENGTH_BYTES = 8;

/** The only key of the header that does not name a tensor. */
const METADATA = "__metadata__";
const FIELDS = ["dtype", "shape", "data_offsets"] as const;

/** The contents of a file's header. */
export interface SafetensorsFile {
  /** The tensors, keyed by name, in the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The strings in `__metadata__`; empty if there is no such key. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Reads the header of the file at `path`. The elements stay on disk.
 * @throws {DataError} If the file is missing, not readable, truncated or too long, or its header is invalid. For
 * example, a header is invalid if a type is unknown, a shape does not match the tensor's size in bytes, or the byte
 * ranges overlap, leave gaps or are outside the file.
 */
export function readSafetensors(path: string): SafetensorsFile {
  using file = new ByteFile(path);
  const header = readHeader(file);
  const dataStart = LENGTH_BYTES + header.bytes;
  const placed = [...header.json].filter(([name]) => name !== METADATA)
    .map(([name, value]) => readPlace(path, { name, value }))
    .toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  checkTiling(path, { placed, dataBytes: file.size - dataStart });
  const tensors = new Map(
    placed.map((place) => [
      place.tensor.name,
      stored(place, { path, offset: dataStart + place.begin }),
    ]),
  );
  const metadata = checkMetadata(path, header.json.get(METADATA));
  return { tensors, metadata };
}

function stored(
  { tensor }: Place,
  range: { path: string; offset: number },
): StoredTensor {
  const offsets = tensor.shape.map(() => 0);
  const whole = { offsets, sizes: tensor.shape, locate: () => range };
  return { ...tensor, chunks: [whole] };
}

function readHeader(file: ByteFile): { json: JsonObject; bytes: number } {
  if (file.size < LENGTH_BYTES) {
    throw fault(
      file.path,
      `its size of ${file.size} B is too small for a header`,
    );
  }
  const view = new DataView(file.readSmall(0, LENGTH_BYTES).buffer);
  const bytes = Number(view.getBigUint64(0, true));
  if (bytes > MAX_HEADER_BYTES || bytes > file.size - LENGTH_BYTES) {
    throw fault(
      file.path,
      `its header should have ${bytes} bytes, but the whole file has ${file.size}`,
    );
  }
  const header = file.readSmall(LENGTH_BYTES, bytes);
  return { json: parseHeader(header, file.path), bytes };
}

/**
 * Parses the header. Like the reference implementation, rejects repeated fields of a tensor and a repeated
 * `__metadata__`.
 */
function parseHeader(bytes: Uint8Array, path: string): JsonObject {
  const twice: { object: JsonObject; key: string }[] = [];
  let json: JsonValue;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
    json = parsePythonJson(text, {
      isSerde: true,
      onDuplicate: (object, key) => twice.push({ object, key }),
    });
  } catch (error) {
    throw fault(path, `its header is not JSON: ${messageOf(error)}`);
  }
  if (!(json instanceof Map)) {
    throw fault(path, "its header is not a JSON object");
  }
  const fields = new Set<JsonValue>(
    [...json].filter(([name]) => name !== METADATA).map(([, value]) => value),
  );
  const wrong = twice.find(({ object, key }) =>
    object === json ? key === METADATA : fields.has(object) && isField(key)
  );
  if (wrong === undefined) return json;
  throw fault(path, `its header has "${wrong.key}" twice`);
}

function isField(key: string): boolean {
  return FIELDS.some((field) => field === key);
}

interface Place {
  readonly tensor: Omit<StoredTensor, "chunks">;
  /** The offset of the tensor's first byte, counted from the end of the header. */
  readonly begin: number;
  readonly end: number;
}

function readPlace(
  path: string,
  { name, value }: { name: string; value: JsonValue },
): Place {
  const fields = fieldsOf(value);
  if (fields === undefined) {
    throw fault(path, `tensor "${name}" is not an object`);
  }
  const { dtype, offsets } = fields;
  const shape = shapeOf(fields.shape);
  if (!isDtype(dtype)) {
    throw fault(
      path,
      dtype === undefined
        ? `tensor "${name}" has no type`
        : `tensor "${name}" has the unknown type ${
          JSON.stringify(dtype).slice(0, 80)
        }`,
    );
  }
  if (shape === undefined) {
    throw fault(path, `tensor "${name}" has an invalid shape`);
  }
  const isPair = Array.isArray(offsets) && offsets.length === 2;
  const [begin, end] = isPair ? offsets : [];
  if (!isCount(begin) || !isCount(end)) {
    throw fault(path, `tensor "${name}" has no valid data_offsets`);
  }
  const tensor = { name, dtype, shape };
  if (end < begin) {
    throw fault(
      path,
      `tensor "${name}" ends at byte ${end}, before its start at byte ${begin}`,
    );
  }
  if (end - begin !== tensorBytes(tensor)) {
    throw fault(
      path,
      `tensor "${name}" has ${end - begin} B, but its type ${dtype} and shape ${
        shapeText(shape)
      } take ${tensorBytes(tensor)} B`,
    );
  }
  return { tensor, begin, end };
}

/** Returns a shape if it is valid; `undefined` if it is not. */
function shapeOf(shape: JsonValue | undefined): number[] | undefined {
  if (Array.isArray(shape) && shape.includes(0)) return emptyShape(shape);
  return isShape(shape) ? shape : undefined;
}

/** The maximum number of axes of a tensor, as in {@linkcode isShape}. */
const MAX_AXES = 8;

/** The maximum number of elements. The reference implementation counts them in 64-bit integers. */
const MAX_COUNT = 2n ** 64n - 1n;

/**
 * Returns the shape of a tensor without elements; `undefined` if it is invalid. Axes that are too long to count exactly
 * are rounded. The reference implementation multiplies the axes in order, and rejects a product over 64 bits even if an
 * axis of length 0 follows.
 */
function emptyShape(shape: readonly JsonValue[]): number[] | undefined {
  if (shape.length > MAX_AXES) return undefined;
  let elements = 1n;
  for (const axis of shape) {
    const isWhole = isCount(axis) || typeof axis === "bigint" && axis >= 0n;
    if (!isWhole || BigInt(axis) > MAX_COUNT) return undefined;
    elements *= BigInt(axis);
    if (elements > MAX_COUNT) return undefined;
  }
  return shape.map(Number);
}

/**
 * Returns a tensor's fields; `undefined` if the value is neither an object nor a list of three values. Like the
 * reference implementation, this function accepts a list in place of an object, and a type in the form `{"F32": null}`.
 */
function fieldsOf(
  value: JsonValue,
): Record<"dtype" | "shape" | "offsets", JsonValue | undefined> | undefined {
  const listed = value instanceof Map
    ? FIELDS.map((field) => value.get(field))
    : value;
  if (!Array.isArray(listed) || listed.length !== FIELDS.length) {
    return undefined;
  }
  const [type, shape, offsets] = listed;
  const [variant] = type instanceof Map && type.size === 1 ? type : [];
  return { dtype: variant?.[1] === null ? variant[0] : type, shape, offsets };
}

/** Checks that each tensor starts where the previous one ends, and that the last one ends at the end of the file. */
function checkTiling(
  path: string,
  { placed, dataBytes }: { placed: readonly Place[]; dataBytes: number },
): void {
  let at = 0;
  for (const [index, { tensor: { name }, begin, end }] of placed.entries()) {
    if (begin !== at) {
      throw fault(
        path,
        index === 0
          ? `the first tensor, "${name}", starts at byte ${begin} of the data, not at byte 0`
          : `tensor "${name}" starts at byte ${begin} of the data, but the previous one ends at byte ${at}`,
      );
    }
    at = end;
  }
  if (at < dataBytes) {
    throw fault(
      path,
      `its tensors end at byte ${at} of the data, but the data ends at byte ${dataBytes}`,
    );
  }
  if (at > dataBytes) {
    throw fault(
      path,
      `it is truncated: its tensors end at byte ${at} of the data, but the data ends at byte ${dataBytes}`,
    );
  }
}

function checkMetadata(
  path: string,
  value: JsonValue | undefined,
): Record<string, string> {
  if (value === undefined || value === null) return {};
  const words = value instanceof Map &&
    [...value.values()].every((word) => typeof word === "string");
  if (!words) throw fault(path, "its __metadata__ is not a map of strings");
  return Object.fromEntries(value) as Record<string, string>;
}

function fault(path: string, what: string): DataError {
  return new DataError(`"${path}": ${what}`, {
    path,
    hint: "download or save the file again",
  });
}
