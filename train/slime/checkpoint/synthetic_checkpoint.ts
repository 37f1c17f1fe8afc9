/**
 * Writes synthetic checkpoints of both formats, for `deno task bench --verify` and for tests that damage them. Training
 * never reads synthetic checkpoints; its checkpoints come from slime's tools.
 */

import { crc32 } from "node:zlib";
import { join } from "node:path";
import { writeAll } from "../../runs/storage.ts";
import { namedNumbers } from "../model_shapes.ts";
import {
  type CheckpointShape,
  LAYERS,
  type LayoutEntry,
  layoutOf,
} from "./checkpoint_layout.ts";
import type { StorageInfo } from "./dcp_metadata.ts";
import { INDEX } from "./hf_dir.ts";
import {
  commonPickle,
  metadataPickle,
  tensorPickle,
  torchSave,
  type WrittenChunk,
} from "./synthetic_torch.ts";
import { elements } from "./tensor.ts";
import { TRACKER } from "./torch_dist.ts";

/** A tensor of bfloat16 numbers. */
export interface SyntheticTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const NUMBER_BYTES = 2;
const openOptions = { write: true, create: true, truncate: true } as const;

/**
 * Random finite numbers for tensors. All tensors take their numbers from one pool. The position in the pool depends
 * only on the tensor's name, so both formats contain the same numbers.
 */
export class SyntheticNumbers {
  readonly #pool: Uint8Array;

  /**
   * Fills the pool.
   * @param poolBytes The size of the random pool in bytes. Default: 16 MiB.
   */
  constructor(poolBytes = 16 * 1024 * 1024) {
    const words = new Uint32Array(poolBytes / 4);
    let state = 1;
    for (let i = 0; i < words.length; i++) {
      // Marsaglia's xorshift generates the same numbers every time.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
    this.#pool = new Uint8Array(words.buffer);
    // Clearing a bit of the exponent keeps the numbers below 2, so that none is NaN.
    for (let at = 1; at < poolBytes; at += 2) this.#pool[at]! &= 0xbf;
  }

  /** Returns the numbers of a tensor. The same tensor always has the same numbers. */
  of({ name, shape }: Pick<LayoutEntry, "name" | "shape">): Uint8Array {
    const length = NUMBER_BYTES * elements(shape);
    const bytes = new Uint8Array(length);
    const pool = this.#pool;
    let from = crc32(name) % (pool.length / NUMBER_BYTES) * NUMBER_BYTES;
    for (let at = 0; at < length;) {
      const part = pool.subarray(
        from,
        Math.min(pool.length, from + length - at),
      );
      bytes.set(part, at);
      at += part.length;
      from = 0;
    }
    return bytes;
  }
}

/** Returns the contents of the `config.json` for a shape. */
export function configOf(shape: CheckpointShape): Record<string, unknown> {
  const { experts } = shape;
  return {
    ...experts === undefined
      ? { architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" }
      : {
        architectures: ["Qwen3MoeForCausalLM"],
        model_type: "qwen3_moe",
        num_experts: experts.count,
        num_experts_per_tok: experts.active,
        moe_intermediate_size: experts.ffn,
      },
    ...namedNumbers(shape, 0),
    rms_norm_eps: 1e-6,
    tie_word_embeddings: shape.tied,
  };
}

/** Yields all tensors of a model, one at a time, with Hugging Face's names. */
export function* hfTensors(
  shape: CheckpointShape,
  numbers: SyntheticNumbers,
): Generator<SyntheticTensor> {
  for (const entry of layoutOf(shape)) {
    yield { name: entry.name, shape: entry.shape, bytes: numbers.of(entry) };
  }
}

/**
 * Writes a model's directory in shards with at most `shardBytes` bytes of elements (default: 1 GiB). A larger tensor
 * gets a separate shard. Each shard is written once it is full.
 */
export async function writeHf(
  directory: string,
  { shape, tensors, shardBytes = 1 << 30 }: {
    shape: CheckpointShape;
    tensors: Iterable<SyntheticTensor>;
    shardBytes?: number;
  },
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await writeJson(join(directory, "config.json"), configOf(shape));
  const map: Record<string, string> = {};
  let shard: SyntheticTensor[] = [];
  let size = 0;
  let shards = 0;
  async function flush(): Promise<void> {
    const file = `model-${String(++shards).padStart(5, "0")}.safetensors`;
    for (const { name } of shard) map[name] = file;
    await writeSafetensors(join(directory, file), shard);
    shard = [];
    size = 0;
  }
  for (const tensor of tensors) {
    if (size > 0 && size + tensor.bytes.length > shardBytes) await flush();
    shard.push(tensor);
    size += tensor.bytes.length;
  }
  await flush();
  await writeJson(join(directory, INDEX), { metadata: {}, weight_map: map });
}

/** Writes one `.safetensors` file. */
export async function writeSafetensors(
  path: string,
  tensors: readonly SyntheticTensor[],
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let at = 0;
  for (const { name, shape, bytes } of tensors) {
    const end = at + bytes.length;
    header[name] = { dtype: "BF16", shape, data_offsets: [at, end] };
    at = end;
  }
  const text = JSON.stringify(header);
  const json = new TextEncoder().encode(
    text.padEnd(Math.ceil(text.length / 8) * 8),
  );
  const length = BigUint64Array.of(BigInt(json.length));
  using file = await Deno.open(path, openOptions);
  await writeAll(file, new Uint8Array(length.buffer));
  await writeAll(file, json);
  for (const { bytes } of tensors) await writeAll(file, bytes);
}

/** A chunk of a tensor in Megatron's format, as one rank stores it. */
export interface SyntheticChunk extends Omit<WrittenChunk, keyof StorageInfo> {
  readonly bytes: Uint8Array;
}

/**
 * Yields all chunks of a model in the order in which a single rank writes them: layer by layer, with separate chunks
 * for gate and up.
 * @param options.vocabRows The number of rows of the vocabulary, including padding. Default: no padding.
 */
export function* megatronChunks(
  shape: CheckpointShape,
  numbers: SyntheticNumbers,
  { vocabRows = shape.vocab }: { vocabRows?: number } = {},
): Generator<SyntheticChunk> {
  const byKey = Map.groupBy(
    layoutOf(shape),
    ({ key, layer, expert }) => `${layer}:${expert}:${key}`,
  );
  for (const parts of byKey.values()) {
    const { key, layer, expert, megatronRows, padded } = parts[0]!;
    const rest = parts[0]!.shape.slice(1);
    const places = expert === undefined ? [] : [expert];
    const counts = expert === undefined ? [] : [shape.experts!.count];
    const rows = padded ? vocabRows : megatronRows;
    const bytes = gather(parts, { rows, numbers });
    if (layer === undefined) {
      const all = [rows, ...rest];
      yield { key, shape: all, offsets: all.map(() => 0), sizes: all, bytes };
      continue;
    }
    const pieces = key.endsWith(".linear_fc1.weight") ? 2 : 1;
    const pieceBytes = bytes.length / pieces;
    for (let i = 0; i < pieces; i++) {
      yield {
        key: LAYERS + key,
        shape: [shape.layers, ...counts, rows, ...rest],
        offsets: [layer, ...places, i * rows / pieces, ...rest.map(() => 0)],
        sizes: [1, ...places.map(() => 1), rows / pieces, ...rest],
        bytes: bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes),
      };
    }
  }
}

/** Returns the rows of one of Megatron's matrices, copied from the rows of Hugging Face tensors. */
function gather(
  parts: readonly LayoutEntry[],
  { rows, numbers }: { rows: number; numbers: SyntheticNumbers },
): Uint8Array {
  const rowBytes = NUMBER_BYTES * elements(parts[0]!.shape.slice(1));
  const bytes = new Uint8Array(rows * rowBytes);
  for (const part of parts) {
    const from = numbers.of(part);
    let row = 0;
    for (const range of part.ranges) {
      const end = row + range.rows;
      bytes.set(
        from.subarray(row * rowBytes, end * rowBytes),
        range.row * rowBytes,
      );
      row = end;
    }
  }
  return bytes;
}

/**
 * Writes a `torch_dist` checkpoint that slime accepts as freshly converted: the directory `release/` and the tracker
 * file.
 */
export async function writeTorchDist(
  root: string,
  { shape, chunks }: {
    shape: CheckpointShape;
    chunks: Iterable<SyntheticChunk>;
  },
): Promise<void> {
  const directory = join(root, "release");
  await Deno.mkdir(directory, { recursive: true });
  const names = ["__0_0.distcp", "__0_1.distcp"];
  const open = await Promise.all(
    names.map((name) => Deno.open(join(directory, name), openOptions)),
  );
  const ends = names.map(() => 0);
  const written: WrittenChunk[] = [];
  let turn = 0;
  for (const { bytes, ...chunk } of chunks) {
    const i = turn++ % names.length;
    const offset = ends[i]!;
    for (const part of torchSave(tensorPickle(chunk), bytes)) {
      await writeAll(open[i]!, part);
      ends[i]! += part.length;
    }
    const length = ends[i]! - offset;
    written.push({ ...chunk, file: names[i]!, offset, length });
  }
  for (const file of open) file.close();
  await Deno.writeFile(join(directory, ".metadata"), metadataPickle(written));
  await writeJson(join(directory, "metadata.json"), {
    sharded_backend: "torch_dist",
    sharded_backend_version: 1,
    common_backend: "torch",
    common_backend_version: 1,
  });
  const common = torchSave(commonPickle(shape));
  await Deno.writeFile(
    join(directory, "common.pt"),
    ReadableStream.from(common),
  );
  await Deno.writeTextFile(join(root, TRACKER), "release");
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value, null, 2));
}
