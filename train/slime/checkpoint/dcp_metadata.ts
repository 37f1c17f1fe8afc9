/**
 * Reads the `.metadata` of a `torch.distributed.checkpoint` checkpoint: its tensors, their chunks, and where each chunk
 * is stored.
 *
 * @see PyTorch `torch/distributed/checkpoint/metadata.py`, versions 2.1 to 2.13.
 */

import { DataError } from "../../../env/errors.ts";
import { readSmallFile } from "./byte_file.ts";
import { type Dtype, torchDtype } from "./dtype.ts";
import {
  PickleDict,
  PickleGlobal,
  PickleObject,
  type PickleValue,
  readPickle,
} from "./pickle.ts";
import { type Box, isCount, isShape } from "./tensor.ts";
import { sizes } from "./torch_archive.ts";
import { allowInMetadata } from "./torch_names.ts";

/** The maximum size of a `.metadata` file. For models on many hosts, the file takes a few megabytes. */
const MAX_BYTES = 64 * 1024 * 1024;

/** The storage location of an item. */
export interface StorageInfo {
  /** The name of the file, without its directory. */
  readonly file: string;
  readonly offset: number;
  /** The length in bytes. */
  readonly length: number;
}

/** A tensor as described by `.metadata`. */
export interface DcpTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly chunks: readonly (Box & {
    /** Where the chunk is stored; `undefined` if `.metadata` does not list its location. */
    readonly storage: StorageInfo | undefined;
  })[];
}

/** The contents of a `.metadata` file. */
export interface DcpMetadata {
  readonly tensors: ReadonlyMap<string, DcpTensor>;
  /** The names of items that are not tensors. */
  readonly objects: readonly string[];
  /** The locations of all items, in all files. */
  readonly storage: readonly StorageInfo[];
}

/**
 * Reads a `.metadata` file.
 * @throws {DataError} If the file is missing, too large, damaged, or in an unsupported format.
 */
export function readDcpMetadata(path: string): DcpMetadata {
  const source = `"${path}"`;
  const bytes = readSmallFile(path, MAX_BYTES);
  const metadata = readPickle(bytes, { source, allow: allowInMetadata });
  return new Parser(path).metadata(metadata);
}

class Parser {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  metadata(value: PickleValue): DcpMetadata {
    const items = new Items();
    for (const [key, info] of this.#dict(value, "storage_data").entries) {
      items.set(this.#itemKey(key), this.#storage(info));
    }
    const tensors = new Map<string, DcpTensor>();
    const objects: string[] = [];
    let chunks = 0;
    for (const [name, of] of this.#dict(value, "state_dict_metadata").entries) {
      if (!isName(name)) throw this.#fault("an invalid name");
      if (
        of instanceof PickleObject && of.type.endsWith(".BytesStorageMetadata")
      ) {
        objects.push(name);
      } else {
        const tensor = this.#tensor(name, { of, items, chunks });
        chunks += tensor.chunks.length;
        tensors.set(name, tensor);
      }
    }
    return { tensors, objects, storage: items.all() };
  }

  #tensor(
    name: string,
    { of, items, chunks: before }: {
      of: PickleValue;
      items: Items;
      /** The number of chunks in the tensors that have been read so far. */
      chunks: number;
    },
  ): DcpTensor {
    const shape = this.#shape(this.#field(of, "size"), name);
    const properties = this.#field(of, "properties");
    const state = properties instanceof PickleObject ? properties.state : null;
    const type = Array.isArray(state)
      ? state[0]
      : state instanceof PickleDict
      ? state.get("dtype")
      : undefined;
    const dtype = type instanceof PickleGlobal
      ? torchDtype(type.name.replace(/^torch\./, ""))
      : undefined;
    if (dtype === undefined) throw this.#fault(`no type for "${name}"`);
    const chunks = this.#field(of, "chunks");
    if (!Array.isArray(chunks)) throw this.#fault(`no chunks for "${name}"`);
    if (before + chunks.length > items.size) {
      throw this.#fault("more chunks than items");
    }
    return {
      dtype,
      shape,
      chunks: chunks.map((chunk) => {
        const offsets = this.#shape(this.#field(chunk, "offsets"), name);
        const sizes = this.#shape(this.#field(chunk, "sizes"), name);
        if (offsets.length !== shape.length || sizes.length !== shape.length) {
          throw this.#fault(
            `chunks of "${name}" with the wrong number of axes`,
          );
        }
        return { offsets, sizes, storage: items.get({ name, offsets }) };
      }),
    };
  }

  /** Reads a `MetadataIndex`. An index of an item that is not a tensor has no offsets. */
  #itemKey(value: PickleValue): ItemKey {
    const name = this.#field(value, "fqn");
    if (!isName(name)) throw this.#fault("an item without a name");
    const offset = this.#state(value).get("offset") ?? null;
    const offsets = offset === null ? null : this.#shape(offset, name);
    return { name, offsets };
  }

  #storage(value: PickleValue): StorageInfo {
    const file = this.#field(value, "relative_path");
    const offset = this.#field(value, "offset");
    const length = this.#field(value, "length");
    if (
      typeof file !== "string" || !/^[\w.-]+$/.test(file) || /^\.+$/.test(file)
    ) {
      throw this.#fault("the path of a file outside its directory");
    }
    if (!isCount(offset) || !isCount(length)) {
      throw this.#fault(`an item of "${file}" without a position`);
    }
    const packed = this.#state(value).get("transform_descriptors") ?? null;
    if (packed !== null && !(Array.isArray(packed) && packed.length === 0)) {
      throw new DataError(
        `"${this.#path}" lists compressed items in "${file}", which are not supported`,
        {
          path: this.#path,
          hint: "save the checkpoint again without compression",
        },
      );
    }
    return { file, offset, length };
  }

  #dict(value: PickleValue, key: string): PickleDict {
    const dict = this.#field(value, key);
    if (dict instanceof PickleDict) return dict;
    throw this.#fault(`a ${key} that is not a dict`);
  }

  #field(value: PickleValue, key: string): PickleValue {
    const field = this.#state(value).get(key);
    if (field === undefined) throw this.#fault(`an object without "${key}"`);
    return field;
  }

  #state(value: PickleValue): PickleDict {
    const state = value instanceof PickleObject ? value.state : undefined;
    if (state instanceof PickleDict) return state;
    throw this.#fault("a value where an object should be");
  }

  #shape(value: PickleValue, name: string): readonly number[] {
    const shape = sizes(value);
    if (isShape(shape)) return shape;
    throw this.#fault(`an invalid shape for "${name}"`);
  }

  #fault(what: string): DataError {
    return new DataError(
      `"${this.#path}" contains ${what}: it is damaged, or PyTorch's format has changed`,
      { path: this.#path, hint: "save the checkpoint again" },
    );
  }
}

/**
 * Checks whether a value is a valid name: a string of 1 to 1024 characters. The length is limited because names from
 * hostile files are compared and joined.
 */
function isName(value: PickleValue): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= 1024;
}

interface ItemKey {
  readonly name: string;
  /** The chunk's offset along each axis; `null` for items that are not tensors. */
  readonly offsets: readonly number[] | null;
}

/** The locations of items, keyed by name and offsets. Items with the same name share one copy of the name. */
class Items {
  readonly #byName = new Map<string, Map<string, StorageInfo>>();
  size = 0;

  set({ name, offsets }: ItemKey, info: StorageInfo): void {
    const ofName = this.#byName.get(name) ?? new Map<string, StorageInfo>();
    this.#byName.set(name, ofName);
    this.size -= ofName.size;
    ofName.set(String(offsets), info);
    this.size += ofName.size;
  }

  get({ name, offsets }: ItemKey): StorageInfo | undefined {
    return this.#byName.get(name)?.get(String(offsets));
  }

  all(): StorageInfo[] {
    return [...this.#byName.values()].flatMap((one) => [...one.values()]);
  }
}
