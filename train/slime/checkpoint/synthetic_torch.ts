/**
 * Writes the parts of PyTorch's checkpoints that `torch_archive.ts` and `dcp_metadata.ts` read: pickles, and zip
 * archives with uncompressed entries.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { namedNumbers } from "../model_shapes.ts";
import type { CheckpointShape } from "./checkpoint_layout.ts";
import type { StorageInfo } from "./dcp_metadata.ts";
import {
  PickleDict,
  PickleGlobal,
  PickleObject,
  PicklePersistent,
  type PickleValue,
} from "./pickle.ts";
import { writePickle } from "./pickle_writer.ts";
import { type Box, elements } from "./tensor.ts";
import {
  CENTRAL,
  CENTRAL_BYTES,
  END,
  END_BYTES,
  LOCAL,
  LOCAL_BYTES,
} from "./zip.ts";

/** A part of a tensor, and where it is stored. */
export interface WrittenChunk extends Box, StorageInfo {
  /** The tensor's name. */
  readonly key: string;
  /** The shape of the whole tensor. */
  readonly shape: readonly number[];
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Returns the pickle that `torch.save` writes for a tensor of bfloat16 numbers. */
export function tensorPickle({ sizes }: Pick<Box, "sizes">): Bytes {
  const storage = [
    "storage",
    new PickleGlobal("torch.BFloat16Storage"),
    "0",
    "cpu",
    elements(sizes),
  ];
  return writePickle(
    new PickleObject("torch._utils._rebuild_tensor_v2", [
      new PicklePersistent(storage),
      0,
      [...sizes],
      sizes.map((_, i) => elements(sizes.slice(i + 1))),
      false,
      new PickleObject("collections.OrderedDict", []),
    ]),
  );
}

/** Returns the contents of the `.metadata` file of a checkpoint with these chunks. */
export function metadataPickle(written: readonly WrittenChunk[]): Bytes {
  const properties = [
    new PickleGlobal("torch.bfloat16"),
    ...[null, false, null, false],
  ];
  const tensors = Map.groupBy(written, ({ key }) => key).entries()
    .map(([key, chunks]): [string, PickleValue] => [
      key,
      dcp("metadata.TensorStorageMetadata", {
        properties: new PickleObject(
          `${DCP}.metadata.TensorProperties`,
          [],
          properties,
        ),
        size: size(chunks[0]!.shape),
        chunks: chunks.map(({ offsets, sizes }) =>
          dcp("metadata.ChunkStorageMetadata", {
            offsets: size(offsets),
            sizes: size(sizes),
          })
        ),
      }),
    ]);
  const storage = written.map((
    { key, offsets, file, offset, length },
  ): [PickleValue, PickleValue] => [
    dcp("metadata.MetadataIndex", { fqn: key, offset: size(offsets) }),
    dcp("filesystem._StorageInfo", { relative_path: file, offset, length }),
  ]);
  return writePickle(dcp("metadata.Metadata", {
    state_dict_metadata: new PickleDict([...tensors]),
    planner_data: null,
    storage_data: new PickleDict(storage),
  }));
}

/** Returns the pickle in a run's `common.pt`, which contains the run's arguments. */
export function commonPickle(shape: CheckpointShape): Bytes {
  const args = dict({
    ...namedNumbers(shape, 1),
    ...shape.experts && {
      num_experts: shape.experts.count,
      moe_router_topk: shape.experts.active,
      moe_ffn_hidden_size: shape.experts.ffn,
    },
    untie_embeddings_and_output_weights: !shape.tied,
    params_dtype: new PickleGlobal("torch.bfloat16"),
  });
  return writePickle(dict({
    args: new PickleObject("argparse.Namespace", [], args),
    checkpoint_version: 3.5,
    iteration: 1,
  }));
}

const DCP = "torch.distributed.checkpoint";

function dcp(type: string, state: Record<string, PickleValue>): PickleObject {
  return new PickleObject(`${DCP}.${type}`, [], dict(state));
}

function dict(values: Record<string, PickleValue>): PickleDict {
  return new PickleDict(Object.entries(values));
}

function size(shape: readonly number[]): PickleObject {
  return new PickleObject("torch.Size", [[...shape]]);
}

/** Returns the parts of an archive in the format of `torch.save`. Their concatenation is the file. */
export function torchSave(pickle: Uint8Array, storage?: Uint8Array): Bytes[] {
  return zipStored([
    ["archive/data.pkl", pickle],
    ["archive/byteorder", Buffer.from("little")],
    ...(storage === undefined ? [] : [["archive/data/0", storage] as const]),
    ["archive/version", Buffer.from("3\n")],
  ]);
}

/**
 * Returns the parts of a zip archive with uncompressed entries. Their concatenation is the file. To save time, the
 * checksum of an entry larger than 1 MiB is set to 0.
 */
export function zipStored(
  entries: readonly (readonly [name: string, bytes: Uint8Array])[],
): Bytes[] {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of entries) {
    const path = Buffer.from(name);
    const sum = bytes.length > 1 << 20 ? 0 : crc32(bytes);
    const about = [sum, bytes.length, bytes.length, path.length];
    const local = [record(LOCAL_BYTES, LOCAL, { 14: about }), path, bytes];
    directory.push(
      record(CENTRAL_BYTES, CENTRAL, { 16: about, 42: [at] }),
      path,
    );
    parts.push(...local);
    at += sumOf(local);
  }
  const end = Buffer.from(
    record(END_BYTES, END, { 12: [sumOf(directory), at] }),
  );
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  return [...parts, ...directory, end] as Bytes[];
}

/** Returns a zip record that consists of a signature, 32-bit words at the given offsets, and zeros elsewhere. */
function record(
  bytes: number,
  signature: number,
  words: Readonly<Record<number, readonly number[]>>,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  view.setUint32(0, signature, true);
  for (const [from, values] of Object.entries(words)) {
    values.forEach((value, i) =>
      view.setUint32(Number(from) + 4 * i, value, true)
    );
  }
  return new Uint8Array(view.buffer);
}
function sumOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
