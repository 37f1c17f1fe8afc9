/**
 * Finds a tensor's bytes in a file written by `torch.save`. The file is a zip archive. Its pickle describes the type,
 * shape and strides. Another entry contains the elements in their order in memory.
 *
 * @see PyTorch `torch/serialization.py: _save` and `torch/_utils.py: _rebuild_tensor_v2`.
 */

import type { FileSlice } from "./byte_file.ts";
import { type Dtype, DTYPE_BYTES, torchDtype } from "./dtype.ts";
import {
  PickleGlobal,
  PickleObject,
  PicklePersistent,
  type PickleValue,
  readPickle,
} from "./pickle.ts";
import { elements, isCount, isShape, shapeText } from "./tensor.ts";
import { allowInTensor } from "./torch_names.ts";
import { entryOffset, readEntry, zipEntries, type ZipEntry } from "./zip.ts";

/** The maximum size of a tensor's pickle in bytes. Most take a few hundred bytes. */
const MAX_TENSOR_PICKLE = 1024 * 1024;
/** The maximum size in bytes of the pickle that contains a run's arguments and state. */
const MAX_PICKLE = 64 * 1024 * 1024;
const MAX_WORD = 64;

/** The type and shape that a saved tensor must have. */
export interface ExpectedTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/**
 * Returns the offset in the file of the first element of the tensor in `slice`. The elements are in row-major order.
 * @throws {DataError} If the archive is damaged, or its tensor does not have the expected type and shape, or is not
 * stored in row-major order.
 */
export function locateTensor(
  slice: FileSlice,
  expected: ExpectedTensor,
): number {
  const archive = openArchive(slice);
  const bytes = readEntry(slice, archive.pickle, { limit: MAX_TENSOR_PICKLE });
  const source = `"${slice.file.path}" at byte ${slice.start}`;
  const value = readPickle(bytes, { source, allow: allowInTensor });
  const tensor = rebuilt(value);
  if (tensor === undefined) throw slice.fault("it does not contain a tensor");
  checkTensor(slice, { tensor, expected });
  const { storage, first } = tensor;
  const data = archive.entries.get(`${archive.name}/data/${storage.key}`);
  const width = DTYPE_BYTES[storage.dtype];
  if (data === undefined || data.size !== storage.elements * width) {
    throw slice.fault(
      `its storage of ${storage.elements} elements of ${storage.dtype} is ${
        data === undefined ? "missing" : `${data.size} bytes long`
      }`,
    );
  }
  return slice.start + entryOffset(slice, data) + first * width;
}

/**
 * Reads as data the pickle in an archive written by `torch.save`.
 * @throws {DataError} If the archive is damaged, or its pickle contains a name that `allow` rejects.
 */
export function readTorchPickle(
  slice: FileSlice,
  allow: (name: string) => boolean,
): PickleValue {
  const { pickle } = openArchive(slice);
  const bytes = readEntry(slice, pickle, { limit: MAX_PICKLE });
  return readPickle(bytes, { source: `"${slice.file.path}"`, allow });
}

interface Archive {
  /** The name of the directory that contains all entries of the archive. */
  readonly name: string;
  readonly pickle: ZipEntry;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

function openArchive(slice: FileSlice): Archive {
  const entries = zipEntries(slice);
  const pickles = [...entries.values()].filter(({ name }) =>
    /^[^/]+\/data\.pkl$/.test(name)
  );
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw slice.fault(`its archive has ${pickles.length} pickles, not one`);
  }
  const name = pickle.name.slice(0, pickle.name.indexOf("/"));
  if (!entries.has(`${name}/version`)) {
    throw slice.fault("its archive has no version, which PyTorch requires");
  }
  const order = entries.get(`${name}/byteorder`);
  if (order !== undefined) {
    const bytes = readEntry(slice, order, { limit: MAX_WORD });
    const word = new TextDecoder().decode(bytes);
    if (word !== "little") {
      throw slice.fault(`its byte order is "${word}", not "little"`);
    }
  }
  return { name, pickle, entries };
}

interface RebuiltTensor {
  readonly storage: Storage;
  /** The index of the tensor's first element in the storage. */
  readonly first: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

interface Storage {
  readonly dtype: Dtype;
  readonly key: string;
  readonly elements: number;
}

function checkTensor(
  slice: FileSlice,
  { tensor, expected }: { tensor: RebuiltTensor; expected: ExpectedTensor },
): void {
  const { storage, shape, first, strides } = tensor;
  const same = storage.dtype === expected.dtype &&
    shapeText(shape) === shapeText(expected.shape);
  if (!same) {
    throw slice.fault(
      `it contains a tensor of ${storage.dtype} ${
        shapeText(shape)
      }, but .metadata says ${expected.dtype} ${shapeText(expected.shape)}`,
    );
  }
  if (first + elements(shape) > storage.elements) {
    throw slice.fault("its tensor extends past its storage");
  }
  if (!isRowMajor(shape, strides)) {
    throw slice.fault(
      `its elements are not contiguous (strides ${
        shapeText(strides)
      }); save it with .contiguous()`,
    );
  }
}

/** Returns the tensor that a pickle rebuilds; `undefined` if the pickle contains something else. */
function rebuilt(value: PickleValue): RebuiltTensor | undefined {
  const tensor = unwrapped(value);
  const known = tensor instanceof PickleObject &&
    /^torch\._utils\._rebuild_tensor(_v2)?$/.test(tensor.type);
  if (!known) return undefined;
  const [id, first, size, strides] = tensor.args;
  const storage = storageOf(id ?? null);
  const shape = sizes(size ?? null);
  const whole = storage !== undefined && isCount(first) && isShape(shape) &&
    isShape(strides) && strides.length === shape.length;
  return whole ? { storage, first, shape, strides } : undefined;
}

/** Returns the tensor inside a parameter. A value that is not a parameter is returned unchanged. */
function unwrapped(value: PickleValue): PickleValue | undefined {
  const isParameter = value instanceof PickleObject &&
    value.type === "torch._utils._rebuild_parameter";
  return isParameter ? value.args[0] : value;
}

/** Returns the elements of a `torch.Size`. Any other value, such as a plain tuple, is returned unchanged. */
export function sizes(value: PickleValue): PickleValue {
  const isSize = value instanceof PickleObject && value.type === "torch.Size";
  return isSize ? value.args[0] ?? [] : value;
}

function storageOf(value: PickleValue): Storage | undefined {
  if (!(value instanceof PicklePersistent)) return undefined;
  const { id } = value;
  if (!Array.isArray(id)) return undefined;
  const [kind, type, key, , count] = id;
  const dtype = type instanceof PickleGlobal
    ? torchDtype(type.name.replace(/^torch\./, ""))
    : undefined;
  if (kind !== "storage" || dtype === undefined) return undefined;
  if (typeof key !== "string" || !isCount(count)) return undefined;
  return { dtype, key, elements: count };
}

function isRowMajor(
  shape: readonly number[],
  strides: readonly number[],
): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}
