/**
 * Reads Megatron's `torch_dist` checkpoints: the tensors, where their chunks are stored, and the arguments of the run
 * that wrote them. The elements stay on disk.
 *
 * @see Megatron-LM `megatron/core/dist_checkpointing/`, `megatron/training/checkpointing.py` at 1dcf0da, and PyTorch
 * `torch/distributed/checkpoint/filesystem.py`.
 */

import { basename, join } from "node:path";
import { DataError } from "../../../env/errors.ts";
import {
  exists,
  FilePool,
  FileSlice,
  readJsonObject,
  readSmallFile,
} from "./byte_file.ts";
import { readDcpMetadata, type StorageInfo } from "./dcp_metadata.ts";
import { PickleDict, PickleObject, type PickleValue } from "./pickle.ts";
import type { Box, ByteRange, Chunk, StoredTensor } from "./tensor.ts";
import { locateTensor, readTorchPickle } from "./torch_archive.ts";
import { allowInCommon } from "./torch_names.ts";

/**
 * The name of the tracker, a file that contains the iteration of the latest checkpoint. The tracker is in the directory
 * that contains all checkpoints of a run.
 */
export const TRACKER = "latest_checkpointed_iteration.txt";

const MAX_SMALL = 1024 * 1024;
/** The maximum number of files in a checkpoint. Each rank writes one or two. */
const MAX_FILES = 65_536;

/** The arguments of the run that wrote a checkpoint: numbers, strings and booleans only. */
export type MegatronArguments = ReadonlyMap<string, number | string | boolean>;

/** A checkpoint in Megatron's format. */
export interface TorchDist extends Disposable {
  /** The directory that contains `.metadata`. */
  readonly directory: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The names of items that are not tensors, such as `_extra_state` of a module. */
  readonly objects: readonly string[];
  /** The run's arguments; `undefined` if `common.pt` is missing or contains no arguments. */
  readonly args: MegatronArguments | undefined;
  /** Descriptions of missing or damaged parts that are found without reading any tensor, one sentence each. */
  readonly faults: readonly string[];
}

/**
 * Checks whether a directory seems to be a Megatron checkpoint or to contain one, judging by the names of its files.
 */
export function isTorchDist(directory: string): boolean {
  return [TRACKER, ".metadata", "metadata.json", "common.pt"].some((name) =>
    exists(join(directory, name))
  );
}

/**
 * Opens a checkpoint.
 * @param root The directory that contains {@linkcode TRACKER}, or the directory of one iteration.
 * @throws {DataError} If there is no complete checkpoint, the tracker or one of `.metadata`, `metadata.json` and
 * `common.pt` is damaged, or the checkpoint is in another format.
 */
export function openTorchDist(root: string): TorchDist {
  const { directory, faults } = findIteration(root);
  const metadata = readDcpMetadata(join(directory, ".metadata"));
  const files = new FilePool();
  const fromJson = checkBackend(directory);
  const common = readCommon(directory, files);
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, chunks }] of metadata.tensors) {
    const tensor = { name, dtype, shape };
    tensors.set(name, {
      ...tensor,
      chunks: chunks.map((chunk) =>
        chunkOf(tensor, { chunk, directory, files })
      ),
    });
  }
  return {
    directory,
    tensors,
    objects: metadata.objects,
    args: common.args,
    faults: [
      ...faults,
      ...fromJson,
      ...common.faults,
      ...fileFaults(directory, metadata.storage),
    ],
    [Symbol.dispose]: () => files[Symbol.dispose](),
  };
}

function chunkOf(
  { name, dtype }: Omit<StoredTensor, "chunks">,
  { chunk, directory, files }: {
    chunk: Box & { readonly storage: StorageInfo | undefined };
    directory: string;
    files: FilePool;
  },
): Chunk {
  const { offsets, sizes, storage } = chunk;
  let range: ByteRange | undefined;
  function find(): ByteRange {
    if (storage === undefined) {
      throw new DataError(
        `"${directory}": .metadata contains no location for the chunk of "${name}" at [${
          offsets.join(", ")
        }]`,
        { path: directory, hint: "save the checkpoint again" },
      );
    }
    const path = join(directory, storage.file);
    const slice = new FileSlice(files.open(path), {
      start: storage.offset,
      size: storage.length,
    });
    return { path, offset: locateTensor(slice, { dtype, shape: sizes }) };
  }
  return { offsets, sizes, locate: () => range ??= find() };
}

interface Iteration {
  readonly directory: string;
  readonly faults: readonly string[];
}

/** Returns the directory that the tracker names, or `root` itself if it is an iteration's directory. */
function findIteration(root: string): Iteration {
  const tracker = join(root, TRACKER);
  if (exists(tracker)) {
    const text = new TextDecoder().decode(readSmallFile(tracker, MAX_SMALL))
      .trim();
    const directory = join(root, iterationName(text, tracker));
    if (!exists(join(directory, ".metadata"))) throw halfWritten(directory);
    return { directory, faults: [] };
  }
  if (exists(join(root, ".metadata"))) {
    return { directory: root, faults: missingTracker(root) };
  }
  const inner = ["release", ...iterations(root)].find((name) =>
    exists(join(root, name, ".metadata"))
  );
  if (inner === undefined) throw halfWritten(root);
  throw new DataError(
    `"${root}" contains "${inner}" but no ${TRACKER}, which is written last; without it, slime loads the directory as a Hugging Face model`,
    {
      path: root,
      hint:
        `convert again, or, if you know that the checkpoint is complete, write "${
          inner === "release" ? inner : Number(inner.slice(5))
        }" to ${TRACKER}`,
    },
  );
}

function iterationName(text: string, tracker: string): string {
  if (text === "release") return text;
  if (/^\d{1,9}$/.test(text)) return `iter_${text.padStart(7, "0")}`;
  throw new DataError(
    `"${tracker}" contains "${
      text.slice(0, 40)
    }", which is neither "release" nor an iteration number`,
    { path: tracker, hint: "convert or save the checkpoint again" },
  );
}

/**
 * Returns a fault if there is no tracker alongside `root`, unless `root` is named like an iteration. Without the
 * tracker, slime would not recognize the checkpoint.
 */
function missingTracker(root: string): string[] {
  const found = exists(join(root, "..", TRACKER)) ||
    /^iter_\d{7}$/.test(basename(root));
  return found ? [] : [
    `${TRACKER} is missing alongside "${root}": slime would load the directory as a Hugging Face model`,
  ];
}

function iterations(root: string): string[] {
  try {
    return [...Deno.readDirSync(root)].map((entry) => entry.name)
      .filter((name) => /^iter_\d{7}$/.test(name)).toSorted().reverse();
  } catch {
    return [];
  }
}

function halfWritten(directory: string): DataError {
  return new DataError(
    `"${directory}" has no .metadata, which is written last: the save was interrupted, or the directory is not a checkpoint`,
    {
      path: directory,
      hint: "save the checkpoint again, or pass another checkpoint's directory",
    },
  );
}

function checkBackend(directory: string): string[] {
  const path = join(directory, "metadata.json");
  if (!exists(path)) {
    return [
      `"${path}" is missing: Megatron would not recognize the checkpoint`,
    ];
  }
  const { sharded_backend: backend } = readJsonObject(path, MAX_SMALL);
  if (backend === "torch_dist") return [];
  const said = backend === undefined
    ? "names no format"
    : `names the format ${JSON.stringify(backend).slice(0, 80)}`;
  throw new DataError(
    `"${path}" ${said}; only torch_dist is supported`,
    {
      path,
      hint:
        "save the checkpoint again with Megatron's --ckpt-format torch_dist",
    },
  );
}

interface Common {
  readonly args: MegatronArguments | undefined;
  readonly faults: readonly string[];
}

function readCommon(directory: string, files: FilePool): Common {
  const path = join(directory, "common.pt");
  if (!exists(path)) {
    return {
      args: undefined,
      faults: [
        `"${path}" is missing: neither Megatron nor slime's converter can load the checkpoint`,
      ],
    };
  }
  const file = files.open(path);
  const slice = new FileSlice(file, { start: 0, size: file.size });
  const common = readTorchPickle(slice, allowInCommon);
  const args = common instanceof PickleDict ? common.get("args") : undefined;
  const state = args instanceof PickleObject ? args.state : undefined;
  if (state instanceof PickleDict) {
    return { args: plainEntries(state), faults: [] };
  }
  return {
    args: undefined,
    faults: [
      `"${path}" contains no args, from which slime's converter takes the model's shape`,
    ],
  };
}

function plainEntries(dict: PickleDict): MegatronArguments {
  const plain = (value: PickleValue) =>
    ["number", "string", "boolean"].includes(typeof value);
  return new Map(
    dict.entries.filter(([key, value]) =>
      typeof key === "string" && plain(value)
    ) as [string, number | string | boolean][],
  );
}

/**
 * Returns one fault for each file that is too short, too long or missing, or whose items share bytes. If `.metadata`
 * lists too many files, returns only that fault.
 */
function fileFaults(
  directory: string,
  storage: readonly StorageInfo[],
): string[] {
  const byFile = Map.groupBy(storage, ({ file }) => file);
  if (byFile.size > MAX_FILES) {
    return [
      `"${directory}": .metadata lists ${byFile.size} files, more than any checkpoint has`,
    ];
  }
  return [...byFile].flatMap(([file, items]) => {
    const path = join(directory, file);
    if (!exists(path)) {
      return [
        `"${path}" is missing, but .metadata lists ${
          items.length === 1 ? "1 item" : `${items.length} items`
        } in it`,
      ];
    }
    let end = 0;
    for (
      const { offset, length } of items.toSorted((a, b) => a.offset - b.offset)
    ) {
      if (offset < end) {
        return [`"${path}" contains two items that share byte ${offset}`];
      }
      end = offset + length;
    }
    const { size } = Deno.statSync(path);
    if (size === end) return [];
    return [
      size < end
        ? `"${path}" has only ${size} of ${end} bytes: it was truncated`
        : `"${path}" has ${size} bytes, but its last item ends at byte ${end}: the file belongs to another save, or is damaged`,
    ];
  });
}
