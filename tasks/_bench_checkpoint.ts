/**
 * Writes checkpoints of both formats with made-up numbers: for the figures of `deno task bench --verify`, and for
 * tests that break them. What training reads is written by slime's own tools, never by this.
 *
 * @see docs of `train/slime/checkpoint/`: safetensors, `torch.save`, `torch.distributed.checkpoint`.
 */

import { crc32 } from "node:zlib";
import { join } from "node:path";
import {
  type CheckpointShape,
  LAYERS,
  type LayoutEntry,
  layoutOf,
} from "../train/slime/checkpoint/checkpoint_layout.ts";
import { writeAll } from "../train/runs/storage.ts";

/** A tensor of bfloat16 numbers. */
export interface MadeTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

const NUMBER_BYTES = 2;
const encoder = new TextEncoder();

/** Random finite numbers for all tensors: each is a part of one pool, so that both formats make the same. */
export class MadeNumbers {
  readonly #pool: Uint8Array;

  /** @param poolBytes Of random numbers. Default: 16 MiB. */
  constructor(poolBytes = 16 * 1024 * 1024) {
    const words = new Uint32Array(poolBytes / 4);
    let state = 1;
    for (let i = 0; i < words.length; i++) {
      // Marsaglia's xorshift: the same numbers every time.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      words[i] = state;
    }
    this.#pool = new Uint8Array(words.buffer);
    // A cleared bit of the exponent keeps numbers below 2, so none is NaN.
    for (let at = 1; at < poolBytes; at += 2) this.#pool[at]! &= 0xbf;
  }

  /** The numbers of a tensor, always the same. */
  of({ name, shape }: Pick<LayoutEntry, "name" | "shape">): Uint8Array {
    const length = NUMBER_BYTES * shape.reduce((a, b) => a * b, 1);
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

/** The `config.json` of a shape. */
export function configOf(shape: CheckpointShape): Record<string, unknown> {
  return {
    architectures: ["Qwen3ForCausalLM"],
    model_type: "qwen3",
    num_hidden_layers: shape.layers,
    hidden_size: shape.hidden,
    intermediate_size: shape.ffn,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvGroups,
    head_dim: shape.headDim,
    vocab_size: shape.vocab,
    rms_norm_eps: 1e-6,
    rope_theta: shape.ropeBase,
    tie_word_embeddings: shape.tied,
  };
}

/** All tensors of a model by Hugging Face's names, made one at a time. */
export function* hfTensors(
  shape: CheckpointShape,
  numbers: MadeNumbers,
): Generator<MadeTensor> {
  for (const entry of layoutOf(shape)) {
    yield { name: entry.name, shape: entry.shape, bytes: numbers.of(entry) };
  }
}

/** Writes a model's directory; tensors in shards of at most `shardBytes`, each written once it is full. */
export async function writeHf(
  directory: string,
  { shape, tensors, shardBytes = 1 << 30 }: {
    shape: CheckpointShape;
    tensors: Iterable<MadeTensor>;
    shardBytes?: number;
  },
): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await writeJson(join(directory, "config.json"), configOf(shape));
  const map: Record<string, string> = {};
  let shard: MadeTensor[] = [];
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
  await writeJson(join(directory, "model.safetensors.index.json"), {
    metadata: {},
    weight_map: map,
  });
}

/** Writes one `.safetensors` file. */
export async function writeSafetensors(
  path: string,
  tensors: readonly MadeTensor[],
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: { format: "pt" } };
  let at = 0;
  for (const { name, shape, bytes } of tensors) {
    const end = at + bytes.length;
    header[name] = { dtype: "BF16", shape, data_offsets: [at, end] };
    at = end;
  }
  const text = JSON.stringify(header);
  const json = encoder.encode(text.padEnd(Math.ceil(text.length / 8) * 8));
  const length = new DataView(new ArrayBuffer(8));
  length.setBigUint64(0, BigInt(json.length), true);
  using file = await Deno.open(path, openOptions);
  await writeAll(file, new Uint8Array(length.buffer));
  await writeAll(file, json);
  for (const { bytes } of tensors) await writeAll(file, bytes);
}

const openOptions = { write: true, create: true, truncate: true } as const;

/** A part of a tensor of Megatron's, as one rank has it. */
export interface MadeChunk {
  readonly key: string;
  /** Of the whole tensor. */
  readonly shape: readonly number[];
  readonly offsets: readonly number[];
  readonly sizes: readonly number[];
  readonly bytes: Uint8Array;
}

/** All chunks of a model as a single rank writes them: layer by layer, gate and up apart. */
export function* megatronChunks(
  shape: CheckpointShape,
  numbers: MadeNumbers,
  { vocabRows = shape.vocab }: { vocabRows?: number } = {},
): Generator<MadeChunk> {
  const byKey = Map.groupBy(
    layoutOf(shape),
    ({ key, layer }) => `${layer}:${key}`,
  );
  for (const parts of byKey.values()) {
    const { key, layer, megatronRows, shape: [, ...rest], padded } = parts[0]!;
    const rows = padded ? vocabRows : megatronRows;
    const bytes = gather(parts, { rows, numbers });
    if (layer === undefined) {
      const all = [rows, ...rest];
      yield { key, shape: all, offsets: all.map(() => 0), sizes: all, bytes };
      continue;
    }
    const pieces = key === "mlp.linear_fc1.weight" ? 2 : 1;
    for (let i = 0; i < pieces; i++) {
      yield {
        key: LAYERS + key,
        shape: [shape.layers, rows, ...rest],
        offsets: [layer, i * rows / pieces, ...rest.map(() => 0)],
        sizes: [1, rows / pieces, ...rest],
        bytes: bytes.subarray(
          i * bytes.length / pieces,
          (i + 1) * bytes.length / pieces,
        ),
      };
    }
  }
}

/** Rows of several tensors of Hugging Face's, where Megatron has them. */
function gather(
  parts: readonly LayoutEntry[],
  { rows, numbers }: { rows: number; numbers: MadeNumbers },
): Uint8Array {
  const rowBytes = NUMBER_BYTES *
    parts[0]!.shape.slice(1).reduce((a, b) => a * b, 1);
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

/** Writes a `torch_dist` checkpoint that slime would take for one just converted: `release/` and the tracker. */
export async function writeTorchDist(
  root: string,
  { shape, chunks, files = 2 }: {
    shape: CheckpointShape;
    chunks: Iterable<MadeChunk>;
    files?: number;
  },
): Promise<void> {
  const directory = join(root, "release");
  await Deno.mkdir(directory, { recursive: true });
  const names = Array.from({ length: files }, (_, i) => `__0_${i}.distcp`);
  const open = await Promise.all(
    names.map((name) => Deno.open(join(directory, name), openOptions)),
  );
  const ends = names.map(() => 0);
  const written: WrittenChunk[] = [];
  let turn = 0;
  for (const chunk of chunks) {
    const i = turn++ % files;
    const archive = torchSave(tensorPickle(chunk), chunk.bytes);
    const length = archive.reduce((sum, part) => sum + part.length, 0);
    for (const part of archive) await writeAll(open[i]!, part);
    const { bytes: _, ...rest } = chunk;
    written.push({ ...rest, file: names[i]!, offset: ends[i]!, length });
    ends[i]! += length;
  }
  for (const file of open) file.close();
  await Deno.writeFile(join(directory, ".metadata"), metadataPickle(written));
  await writeJson(join(directory, "metadata.json"), {
    sharded_backend: "torch_dist",
    sharded_backend_version: 1,
    common_backend: "torch",
    common_backend_version: 1,
  });
  await Deno.writeFile(
    join(directory, "common.pt"),
    joined(torchSave(commonPickle(shape))),
  );
  await Deno.writeTextFile(
    join(root, "latest_checkpointed_iteration.txt"),
    "release",
  );
}

interface WrittenChunk extends Omit<MadeChunk, "bytes"> {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/** A class or function of Python's, for {@linkcode pickle}. */
export class Global {
  constructor(readonly module: string, readonly name: string) {}
}

/** A call with its arguments, and then a state. */
export class Call {
  constructor(
    readonly callee: Global,
    readonly args: readonly unknown[],
    readonly state?: unknown,
  ) {}
}

/** A tuple: plain arrays are lists. */
export class Tuple {
  constructor(readonly items: readonly unknown[]) {}
}

/** A persistent id. */
export class Persistent {
  constructor(readonly id: unknown) {}
}

/** Pickles a value by protocol 2. Whole numbers below 2^63, text, booleans, null, arrays, maps and the classes above. */
export function pickle(value: unknown): Uint8Array {
  const out: Uint8Array[] = [Uint8Array.of(0x80, 2)];
  put(value, out);
  out.push(encoder.encode("."));
  return joined(out);
}

function put(value: unknown, out: Uint8Array[]): void {
  const op = (text: string) => out.push(encoder.encode(text));
  if (value === null) return void op("N");
  if (typeof value === "boolean") {
    return void out.push(Uint8Array.of(value ? 0x88 : 0x89));
  }
  if (typeof value === "number") return void putNumber(value, out);
  if (typeof value === "string") {
    const bytes = encoder.encode(value);
    out.push(Uint8Array.of(0x58, ...little(bytes.length, 4)), bytes);
  } else if (Array.isArray(value)) {
    op("](");
    for (const item of value) put(item, out);
    op("e");
  } else if (value instanceof Map) {
    op("}(");
    for (const [key, item] of value) {
      put(key, out);
      put(item, out);
    }
    op("u");
  } else if (value instanceof Global) {
    op(`c${value.module}\n${value.name}\n`);
  } else if (value instanceof Tuple) {
    op("(");
    for (const item of value.items) put(item, out);
    op("t");
  } else if (value instanceof Persistent) {
    put(value.id, out);
    op("Q");
  } else if (value instanceof Call) {
    put(value.callee, out);
    put(new Tuple(value.args), out);
    // An instance is made without its __init__, which would want arguments.
    out.push(Uint8Array.of(value.state === undefined ? 0x52 : 0x81));
    if (value.state !== undefined) {
      put(value.state, out);
      op("b");
    }
  } else throw new TypeError(`No pickle of ${typeof value}`);
}

function putNumber(value: number, out: Uint8Array[]): void {
  if (!Number.isInteger(value)) {
    const view = new DataView(new ArrayBuffer(9));
    view.setUint8(0, 0x47);
    view.setFloat64(1, value);
    out.push(new Uint8Array(view.buffer));
  } else out.push(Uint8Array.of(0x8a, 8, ...little(value, 8)));
}

function little(value: number, bytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigInt64(0, BigInt(value), true);
  return new Uint8Array(view.buffer, 0, bytes);
}

const size = (shape: readonly number[]) =>
  new Call(new Global("torch", "Size"), [new Tuple(shape)]);

/** What `torch.save` writes of a tensor. */
export function tensorPickle(
  { sizes }: Pick<MadeChunk, "sizes">,
): Uint8Array {
  const count = sizes.reduce((a, b) => a * b, 1);
  const strides = sizes.map((_, i) =>
    sizes.slice(i + 1).reduce((a, b) => a * b, 1)
  );
  const storage = new Tuple([
    "storage",
    new Global("torch", "BFloat16Storage"),
    "0",
    "cpu",
    count,
  ]);
  return pickle(
    new Call(new Global("torch._utils", "_rebuild_tensor_v2"), [
      new Persistent(storage),
      0,
      new Tuple(sizes),
      new Tuple(strides),
      false,
      new Call(new Global("collections", "OrderedDict"), []),
    ]),
  );
}

function metadataPickle(written: readonly WrittenChunk[]): Uint8Array {
  const metadata = "torch.distributed.checkpoint.metadata";
  const make = (name: string, state: unknown) =>
    new Call(new Global(metadata, name), [], state);
  const properties = make(
    "TensorProperties",
    new Tuple([new Global("torch", "bfloat16"), null, false, null, false]),
  );
  const tensors = Map.groupBy(written, ({ key }) => key).entries()
    .map(([key, chunks]): [string, unknown] => [
      key,
      make(
        "TensorStorageMetadata",
        new Map<string, unknown>([
          ["properties", properties],
          ["size", size(chunks[0]!.shape)],
          [
            "chunks",
            chunks.map(({ offsets, sizes }) =>
              make(
                "ChunkStorageMetadata",
                new Map([["offsets", size(offsets)], ["sizes", size(sizes)]]),
              )
            ),
          ],
        ]),
      ),
    ]);
  const storage = written.map((
    { key, offsets, file, offset, length },
  ): [unknown, unknown] => [
    make(
      "MetadataIndex",
      new Map<string, unknown>([["fqn", key], ["offset", size(offsets)]]),
    ),
    new Call(
      new Global("torch.distributed.checkpoint.filesystem", "_StorageInfo"),
      [],
      new Map<string, unknown>([
        ["relative_path", file],
        ["offset", offset],
        ["length", length],
      ]),
    ),
  ]);
  return pickle(
    make(
      "Metadata",
      new Map<string, unknown>([
        ["state_dict_metadata", new Map(tensors)],
        ["planner_data", null],
        ["storage_data", new Map(storage)],
      ]),
    ),
  );
}

function commonPickle(shape: CheckpointShape): Uint8Array {
  const args = new Map<string, unknown>([
    ["num_layers", shape.layers],
    ["hidden_size", shape.hidden],
    ["ffn_hidden_size", shape.ffn],
    ["num_attention_heads", shape.heads],
    ["num_query_groups", shape.kvGroups],
    ["kv_channels", shape.headDim],
    ["vocab_size", shape.vocab],
    ["rotary_base", shape.ropeBase],
    ["untie_embeddings_and_output_weights", !shape.tied],
    ["params_dtype", new Global("torch", "bfloat16")],
  ]);
  const namespace = new Call(new Global("argparse", "Namespace"), [], args);
  return pickle(
    new Map<string, unknown>([
      ["args", namespace],
      ["checkpoint_version", 3.5],
      ["iteration", 1],
    ]),
  );
}

/** The parts of an archive as `torch.save` makes it; one after another they are the file. */
export function torchSave(
  pickled: Uint8Array,
  storage?: Uint8Array,
): Uint8Array[] {
  return zipStored([
    ["archive/data.pkl", pickled],
    ["archive/byteorder", encoder.encode("little")],
    ...(storage === undefined
      ? []
      : [["archive/data/0", storage] as [string, Uint8Array]]),
    ["archive/version", encoder.encode("3\n")],
  ]);
}

/** A zip archive whose entries are stored, in parts. */
export function zipStored(
  entries: readonly [name: string, bytes: Uint8Array][],
): Uint8Array[] {
  const parts: Uint8Array[] = [];
  const central: Uint8Array[] = [];
  let at = 0;
  for (const [name, bytes] of entries) {
    const path = encoder.encode(name);
    const sum = bytes.length > 1 << 20 ? 0 : crc32(bytes);
    const common = [
      ...little(sum, 4),
      ...little(bytes.length, 4),
      ...little(bytes.length, 4),
      ...little(path.length, 2),
      0,
      0,
    ];
    const local = Uint8Array.of(
      ...little(0x04034b50, 4),
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...common,
    );
    parts.push(local, path, bytes);
    central.push(
      Uint8Array.of(
        ...little(0x02014b50, 4),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        ...common,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        ...little(at, 4),
      ),
      path,
    );
    at += local.length + path.length + bytes.length;
  }
  const directory = joined(central);
  const count = little(entries.length, 2);
  const end = Uint8Array.of(
    ...little(0x06054b50, 4),
    0,
    0,
    0,
    0,
    ...count,
    ...count,
    ...little(directory.length, 4),
    ...little(at, 4),
    0,
    0,
  );
  return [...parts, directory, end];
}

/** Bytes one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await Deno.writeTextFile(path, JSON.stringify(value, null, 2));
}
