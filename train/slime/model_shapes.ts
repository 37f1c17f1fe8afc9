/**
 * The shapes of the models that slime trains here, as Megatron's flags and as what a Hugging Face
 * `config.json` has to say.
 *
 * slime takes a model's shape from the command line and not from the checkpoint, so a wrong number trains
 * another model than the one that was downloaded: rope base first, which differs between Qwen3-4B and its
 * Instruct-2507.
 */

import { z } from "zod";
import { DataError, messageOf } from "../../env/errors.ts";

/** The shape of a dense Qwen3. */
export interface ModelShape {
  readonly layers: number;
  /** Width of the residual stream. */
  readonly hidden: number;
  /** Width of the MLP between gate and down projection. */
  readonly ffn: number;
  /** Query heads, each of {@linkcode HEAD_DIM} channels. */
  readonly heads: number;
  /** Heads of keys and values; tensor parallelism divides them. */
  readonly kvGroups: number;
  /** Channels of a head. */
  readonly headDim: number;
  /** Rows of the embedding without padding. */
  readonly vocab: number;
  readonly ropeBase: number;
  /** Tokens that it was made for. */
  readonly positions: number;
  /** Whether the embedding is the output layer too. */
  readonly tied: boolean;
}

/** Channels of a head: of all Qwen3, whatever hidden size and heads come to. */
export const HEAD_DIM = 128;

/** Rows of the embedding in a Hugging Face checkpoint. */
export const VOCAB_SIZE = 151_936;

const NORM_EPSILON = 1e-6;

/**
 * By the name of their Hugging Face repository without its owner.
 * @see slime `scripts/models/qwen3-*.sh` at 624b824.
 */
export const MODEL_SHAPES = {
  "Qwen3-0.6B": dense({ layers: 28, hidden: 1024, ffn: 3072, heads: 16 }),
  "Qwen3-1.7B": dense({ layers: 28, hidden: 2048, ffn: 6144, heads: 16 }),
  "Qwen3-4B": dense({ layers: 36, hidden: 2560, ffn: 9728, heads: 32 }),
  "Qwen3-4B-Instruct-2507": dense({
    layers: 36,
    hidden: 2560,
    ffn: 9728,
    heads: 32,
    ropeBase: 5_000_000,
    positions: 262_144,
  }),
  "Qwen3-8B": dense({
    layers: 36,
    hidden: 4096,
    ffn: 12_288,
    heads: 32,
    tied: false,
  }),
} as const satisfies Record<string, ModelShape>;

/** The models that have a shape here. */
export type ModelName = keyof typeof MODEL_SHAPES;

function dense(
  shape:
    & Partial<ModelShape>
    & Pick<ModelShape, "layers" | "hidden" | "ffn" | "heads">,
): ModelShape {
  return {
    kvGroups: 8,
    headDim: HEAD_DIM,
    vocab: VOCAB_SIZE,
    ropeBase: 1_000_000,
    positions: 40_960,
    tied: true,
    ...shape,
  };
}

/** What the numbers of a shape are called: in a Hugging Face `config.json`, and among Megatron's arguments. */
export const SHAPE_NAMES = {
  ropeBase: ["rope_theta", "rotary_base"],
  layers: ["num_hidden_layers", "num_layers"],
  hidden: ["hidden_size", "hidden_size"],
  ffn: ["intermediate_size", "ffn_hidden_size"],
  heads: ["num_attention_heads", "num_attention_heads"],
  kvGroups: ["num_key_value_heads", "num_query_groups"],
  headDim: ["head_dim", "kv_channels"],
  vocab: ["vocab_size", "vocab_size"],
} as const satisfies Partial<
  Record<keyof ModelShape, readonly [config: string, megatron: string]>
>;

/** The numbers of a shape by the names of a column of {@linkcode SHAPE_NAMES}. */
export function namedNumbers(
  shape: Omit<ModelShape, "positions">,
  column: 0 | 1,
): Record<string, number> {
  const parts = Object.keys(SHAPE_NAMES) as (keyof typeof SHAPE_NAMES)[];
  return Object.fromEntries(
    parts.map((part) => [SHAPE_NAMES[part][column], shape[part]]),
  );
}

/**
 * The arguments of slime's `train.py` that make the model.
 * @returns Words of a command line, flags before their values.
 */
export function modelArguments(
  shape: Omit<ModelShape, "positions">,
): string[] {
  return [
    "--swiglu",
    ...["--num-layers", String(shape.layers)],
    ...["--hidden-size", String(shape.hidden)],
    ...["--ffn-hidden-size", String(shape.ffn)],
    ...["--num-attention-heads", String(shape.heads)],
    "--group-query-attention",
    ...["--num-query-groups", String(shape.kvGroups)],
    "--use-rotary-position-embeddings",
    "--disable-bias-linear",
    ...["--normalization", "RMSNorm"],
    ...["--norm-epsilon", "1e-6"],
    ...["--rotary-base", String(shape.ropeBase)],
    ...["--vocab-size", String(shape.vocab)],
    ...["--kv-channels", String(shape.headDim)],
    "--qk-layernorm",
    ...(shape.tied ? [] : ["--untie-embeddings-and-output-weights"]),
  ];
}

/** Parameters of the model, the embedding counted once where it is tied. */
export function parameterCount(shape: ModelShape): number {
  const { layers, hidden, ffn, heads, kvGroups, tied } = shape;
  const attention = 2 * hidden * HEAD_DIM * (heads + kvGroups) + 2 * HEAD_DIM;
  const layer = attention + 3 * hidden * ffn + 2 * hidden;
  return layers * layer + (tied ? 1 : 2) * VOCAB_SIZE * hidden + hidden;
}

/**
 * Rows of the embedding as Megatron keeps it, padded so that every rank of tensor parallelism has whole
 * blocks of 128.
 */
export function paddedVocab(tensorParallel: number): number {
  const block = 128 * tensorParallel;
  return Math.ceil(VOCAB_SIZE / block) * block;
}

/** A number of `config.json` that is not the recipe's. */
export interface ShapeMismatch {
  /** The key of `config.json`. */
  readonly key: string;
  readonly expected: number | boolean | string;
  /** `undefined` where the key is missing. */
  readonly found: unknown;
}

const configSchema = z.looseObject({
  rope_parameters: z.looseObject({}).nullish(),
});

/**
 * Where a Hugging Face `config.json` is of another model than the shape, the rope base first.
 * @param text The file's text.
 * @param path Its path, for messages.
 * @throws {DataError} If it is not a JSON object.
 */
export function shapeMismatches(
  shape: ModelShape,
  { text, path }: { readonly text: string; readonly path: string },
): ShapeMismatch[] {
  const config = readConfig(text, path);
  const { rope_theta, ...numbers } = namedNumbers(shape, 0);
  const expected = {
    rope_theta,
    model_type: "qwen3",
    ...numbers,
    rms_norm_eps: NORM_EPSILON,
    tie_word_embeddings: shape.tied,
  } as Record<string, number | boolean | string>;
  return Object.entries(expected)
    .map(([key, value]) => ({ key, expected: value, found: config[key] }))
    .filter(({ expected, found }) => expected !== found);
}

/** Newer transformers write the rope base one level down. */
function readConfig(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DataError(
      `"${path}" is not JSON: ${messageOf(error)}`,
      { cause: error, hint: "download the model again" },
    );
  }
  const result = configSchema.safeParse(value);
  if (!result.success) {
    throw new DataError(
      `"${path}" is not the config of a model`,
      { cause: result.error, hint: "download the model again" },
    );
  }
  const { rope_parameters: rope, ...config } = result.data;
  return { ...config, rope_theta: config.rope_theta ?? rope?.rope_theta };
}
