/**
 * Describes the shapes of models that slime trains, as Megatron's flags and as values in a Hugging Face `config.json`.
 * slime takes a model's shape from the command line, not from the checkpoint. With a wrong number, it therefore trains
 * a model that differs from the downloaded model. The most common mistake is the rope base, which differs between
 * Qwen3-4B and Qwen3-4B-Instruct-2507.
 */

import { parseModelJson } from "../../env/tokens/model_dir.ts";
import { z } from "zod";
import { DataError, messageOf } from "../../env/errors.ts";

/** The sizes of the experts in a mixture-of-experts model. */
export interface ExpertShape {
  /** The number of routed experts per layer with experts. */
  readonly count: number;
  /** The number of routed experts that process each token. */
  readonly active: number;
  /** The width of a routed expert. */
  readonly ffn: number;
  /** The total width of the experts that process every token; 0 if there are none. */
  readonly shared: number;
  /** The number of layers with experts. The other layers are dense. */
  readonly layers: number;
}

/** The sizes of attention over compressed keys and values, as in DeepSeek. */
export interface LatentShape {
  /** The rank of compressed queries; 0 if queries are not compressed. */
  readonly queryRank: number;
  readonly keyRank: number;
  readonly headDim: number;
  readonly positionDim: number;
  readonly valueDim: number;
}

/** The properties of attention that differ between models. */
export interface AttentionTraits {
  /** Whether queries, keys and values have a bias. */
  readonly bias: boolean;
  /** Whether queries and keys are normalized. */
  readonly norms: boolean;
  /** Whether the output of attention has a gate. */
  readonly gate: boolean;
  /**
   * The period of full attention: one out of `every` layers attends to all tokens. The other layers keep a state of
   * fixed size.
   */
  readonly every: number;
}

/** The shape of a model. Missing fields have the values of a dense Qwen3 model. */
export interface ModelShape {
  readonly layers: number;
  /** The width of the residual stream. */
  readonly hidden: number;
  /** The width of the MLP between the gate and down projections. */
  readonly ffn: number;
  /** The number of query heads. */
  readonly heads: number;
  /** The number of key and value heads, a multiple of the tensor-parallel size. */
  readonly kvGroups: number;
  /** The number of channels per head. */
  readonly headDim: number;
  /** The number of rows of the embedding, without padding. */
  readonly vocab: number;
  readonly ropeBase: number;
  /** The maximum context length in tokens; `Infinity` if unknown. */
  readonly positions: number;
  /** Whether the embedding is also the output layer. */
  readonly tied: boolean;
  /** The `model_type` in the model's `config.json`. Default: `qwen3`, unless there are `arguments`. */
  readonly modelType?: string;
  /** Megatron's arguments for the model. Default: the arguments of a dense Qwen3 model. */
  readonly arguments?: readonly string[];
  readonly experts?: ExpertShape;
  readonly latent?: LatentShape;
  readonly attention?: AttentionTraits;
}

const QWEN3_ATTENTION: AttentionTraits = {
  bias: false,
  norms: true,
  gate: false,
  every: 1,
};

/** The number of channels per head in all models of {@linkcode MODEL_SHAPES}. */
export const HEAD_DIM = 128;

/** The number of rows of the embedding in the Hugging Face checkpoint of a Qwen3 model. */
export const VOCAB_SIZE = 151_936;

const NORM_EPSILON = 1e-6;

/**
 * The shapes of dense Qwen3 models, keyed by the name of their Hugging Face repository without its owner.
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

/** The name of a model in {@linkcode MODEL_SHAPES}. */
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

/** Checks whether a model is one of the dense Qwen3 models in {@linkcode MODEL_SHAPES}. */
export function isDenseModel(name: string): name is ModelName {
  return Object.hasOwn(MODEL_SHAPES, name);
}

/** The names of a shape's numbers in a Hugging Face `config.json` and in Megatron's arguments. */
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

/**
 * Returns the numbers of a shape, under the names of one column of {@linkcode SHAPE_NAMES}.
 * @param column 0 for the names in `config.json`, 1 for the names of Megatron's arguments.
 */
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
 * Returns the arguments that describe a dense Qwen3 model to slime's `train.py`.
 * @returns The command-line arguments, in which each flag is followed by its values.
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

/** Returns Megatron's arguments for a model of any type. */
export function shapeWords(shape: ModelShape): readonly string[] {
  return shape.arguments ?? modelArguments(shape);
}

/** Returns the number of parameters. A tied embedding is counted once. */
export function parameterCount(shape: ModelShape): number {
  const { layers, hidden, tied, vocab } = shape;
  return layers * sharedParameters(shape) + expertParameters(shape) +
    (tied ? 1 : 2) * vocab * hidden + hidden;
}

/**
 * Returns the number of parameters that each token passes through, which determines the computing cost. In a dense
 * model, each token passes through all parameters.
 */
export function activeParameterCount(shape: ModelShape): number {
  const { experts } = shape;
  const idle = experts === undefined ? 0 : 1 - experts.active / experts.count;
  return parameterCount(shape) - idle * expertParameters(shape);
}

/**
 * Checks, based on a model's type, whether {@linkcode parameterCount} equals the number of parameters in the
 * checkpoint. The counts differ if some layers have a size that no argument states, or if the checkpoint contains parts
 * that are not trained.
 */
export function isCountExact(
  { modelType, attention, latent }: ModelShape,
): boolean {
  return latent === undefined && (attention?.every ?? 1) === 1 &&
    ["qwen2", "qwen3", "qwen3_moe", "llama"].includes(modelType ?? "qwen3");
}

/** Returns the number of parameters of a layer without its routed experts, averaged over all layers. */
export function sharedParameters(shape: ModelShape): number {
  const { layers, hidden, ffn, experts } = shape;
  const sparse = experts?.layers ?? 0;
  const dense = (layers - sparse) * 3 * hidden * ffn;
  // The router, and the experts that every token passes through.
  const routed = experts === undefined
    ? 0
    : sparse * hidden * (experts.count + 3 * experts.shared);
  return attentionParameters(shape) + 2 * hidden + (dense + routed) / layers;
}

/**
 * Returns the number of parameters of the routed experts in all layers. Experts that process every token are not
 * included.
 */
export function expertParameters({ hidden, experts }: ModelShape): number {
  if (experts === undefined) return 0;
  return experts.layers * experts.count * 3 * hidden * experts.ffn;
}

function attentionParameters(shape: ModelShape): number {
  const { hidden, heads, kvGroups, headDim, latent } = shape;
  const { bias, norms, gate } = shape.attention ?? QWEN3_ATTENTION;
  if (latent !== undefined) return latentParameters(shape, latent);
  const queries = heads * headDim;
  const keys = kvGroups * headDim;
  return 2 * hidden * (queries + keys) + (gate ? hidden * queries : 0) +
    (norms ? 2 * headDim : 0) + (bias ? queries + 2 * keys : 0);
}

function latentParameters(
  { hidden, heads }: ModelShape,
  { queryRank, keyRank, headDim, positionDim, valueDim }: LatentShape,
): number {
  const query = heads * (headDim + positionDim);
  return (queryRank === 0 ? hidden * query : queryRank * (hidden + query)) +
    hidden * (keyRank + positionDim) +
    keyRank * heads * (headDim + valueDim) + heads * valueDim * hidden;
}

/** Returns the number of values per token in each rank's part of an engine's cache. */
export function cacheNumbers(shape: ModelShape, ranks: number): number {
  const { layers, kvGroups, headDim, latent, attention } = shape;
  if (latent !== undefined) {
    return layers * (latent.keyRank + latent.positionDim);
  }
  const attending = layers / (attention?.every ?? 1);
  return attending * 2 * Math.max(1, kvGroups / ranks) * headDim;
}

/**
 * Returns the number of rows of the embedding after Megatron has padded it. Each tensor-parallel rank has a multiple of
 * 128 rows.
 */
export function paddedVocab(
  tensorParallel: number,
  vocab: number = VOCAB_SIZE,
): number {
  const block = 128 * tensorParallel;
  return Math.ceil(vocab / block) * block;
}

/** A value in `config.json` that differs from the shape. */
export interface ShapeMismatch {
  /** The name of the key in `config.json`. */
  readonly key: string;
  readonly expected: number | boolean | string;
  /** The value in `config.json`; `undefined` if the key is missing. */
  readonly found: unknown;
}

const configSchema = z.looseObject({
  rope_parameters: z.looseObject({}).nullish(),
  text_config: z.looseObject({
    rope_parameters: z.looseObject({}).nullish(),
  }).nullish(),
});

/**
 * Compares a Hugging Face `config.json` with a shape.
 * @param text The text of the file.
 * @param path The path of the file, for messages.
 * @returns The values that differ. A different rope base comes first.
 * @throws {DataError} If the text is not a JSON object.
 */
export function shapeMismatches(
  shape: ModelShape,
  { text, path }: { readonly text: string; readonly path: string },
): ShapeMismatch[] {
  const config = readConfig(text, path);
  if (shape.arguments !== undefined) return disagreements(shape, config);
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

/**
 * Returns the values that differ between a shape and a config. Values that the config does not contain are not
 * compared.
 */
function disagreements(
  shape: ModelShape,
  config: Record<string, unknown>,
): ShapeMismatch[] {
  const { experts, modelType, tied } = shape;
  const { rope_theta, intermediate_size, ...numbers } = namedNumbers(shape, 0);
  const expected = {
    rope_theta,
    ...modelType === undefined ? {} : { model_type: modelType },
    ...numbers,
    // If all layers have experts, the width of dense layers has no meaning.
    ...experts?.layers === shape.layers ? {} : { intermediate_size },
    ...experts === undefined ? {} : {
      num_experts: experts.count,
      n_routed_experts: experts.count,
      num_experts_per_tok: experts.active,
      moe_intermediate_size: experts.ffn,
    },
    tie_word_embeddings: tied,
  } as Record<string, number | boolean | string>;
  return Object.entries(expected)
    .map(([key, value]) => ({ key, expected: value, found: config[key] }))
    .filter(({ expected, found }) =>
      found !== undefined && found !== null && expected !== found
    );
}

/**
 * Parses a config, and moves nested values to its top level: newer versions of transformers nest the rope base, and
 * multimodal models nest the config of the language model.
 */
function readConfig(text: string, path: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseModelJson(text);
  } catch (error) {
    throw new DataError(
      `"${path}" is not JSON: ${messageOf(error)}`,
      { cause: error, hint: "download the model again" },
    );
  }
  const result = configSchema.safeParse(value);
  if (!result.success) {
    throw new DataError(
      `"${path}" is not a model's config`,
      { cause: result.error, hint: "download the model again" },
    );
  }
  const { text_config: inner, ...outer } = result.data;
  const { model_type } = outer;
  const { rope_parameters: rope, ...config } = { ...outer, ...inner };
  return {
    ...config,
    model_type: model_type ?? config.model_type,
    rope_theta: config.rope_theta ?? rope?.rope_theta,
  };
}
