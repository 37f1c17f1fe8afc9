/**
 * Derives Megatron's arguments from a model's Hugging Face `config.json`. Only model types for which the config
 * determines all arguments are supported.
 *
 * @see slime `scripts/models/{qwen2.5,qwen3,llama3,glm4.5}*.sh` at 624b824: the same flags, computed from the same
 * numbers.
 */

import { parseModelJson } from "../../../env/tokens/model_dir.ts";
import { z } from "zod";
import { ConfigError, messageOf } from "../../../env/errors.ts";
import { explainIssue } from "../../../env/schema_issue.ts";
import type { ModelShape } from "../model_shapes.ts";
import { shapeOfWords } from "./shape_of_words.ts";

const size = z.int().min(1);

const ropeSchema = z.looseObject({
  rope_theta: z.number().optional(),
  rope_type: z.string().optional(),
  factor: z.number().optional(),
});

const baseSchema = z.looseObject({
  model_type: z.string(),
  num_hidden_layers: size,
  hidden_size: size,
  intermediate_size: size,
  num_attention_heads: size,
  num_key_value_heads: size.optional(),
  head_dim: size.nullish(),
  vocab_size: size,
  rms_norm_eps: z.number(),
  max_position_embeddings: size.optional(),
  rope_theta: z.number().optional(),
  rope_parameters: ropeSchema.nullish(),
  rope_scaling: ropeSchema.nullish(),
  tie_word_embeddings: z.boolean().default(false),
});

type BaseConfig = z.infer<typeof baseSchema>;

const qwenMoeSchema = baseSchema.extend({
  num_experts: size,
  num_experts_per_tok: size,
  moe_intermediate_size: size,
  decoder_sparse_step: z.literal(1).default(1),
  mlp_only_layers: z.array(z.int()).max(0).default([]),
});

const glmMoeSchema = baseSchema.extend({
  n_routed_experts: size,
  n_shared_experts: z.int().min(0),
  num_experts_per_tok: size,
  moe_intermediate_size: size,
  first_k_dense_replace: z.int().min(0),
  partial_rotary_factor: z.number().default(0.5),
  attention_bias: z.boolean().default(true),
  use_qk_norm: z.boolean().default(false),
  routed_scaling_factor: z.number().default(1),
});

/** The functions that return Megatron's arguments for a config, keyed by model type. */
const KINDS: Readonly<Record<string, (config: unknown) => string[]>> = {
  llama: (config) => denseWords(baseSchema.parse(config), []),
  qwen2: (config) => denseWords(baseSchema.parse(config), ["--add-qkv-bias"]),
  qwen3: (config) => denseWords(baseSchema.parse(config), ["--qk-layernorm"]),
  qwen3_moe: (config) => qwenMoeWords(qwenMoeSchema.parse(config)),
  glm4_moe: (config) => glmMoeWords(glmMoeSchema.parse(config)),
};

/**
 * Returns the shape that a `config.json` describes.
 * @param path The path or the key that the config comes from, for error messages.
 * @throws {ConfigError} If the config is not valid, or its model type or rope type is not supported.
 */
export function shapeOfConfig(
  config: Readonly<Record<string, unknown>>,
  path: string,
): ModelShape {
  const modelType = String(config["model_type"]);
  const kind = KINDS[modelType];
  if (kind === undefined) {
    const found = config["model_type"] === undefined
      ? "no model_type"
      : `the unsupported model_type "${modelType}"`;
    throw new ConfigError(
      `"${path}" has ${found}; supported are ${Object.keys(KINDS).join(", ")}`,
      { hint: "set model.shape to slime's scripts/models/NAME.sh" },
    );
  }
  try {
    return shapeOfWords(kind(config), {
      origin: `"${path}"`,
      modelType,
      positions: z.int().optional().catch(undefined).parse(
        config["max_position_embeddings"],
      ),
    });
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error;
    const [issue] = error.issues;
    throw new ConfigError(
      `"${path}" is not a valid "${modelType}" config: ${
        issue?.path.join(".")
      }: ${issue && explainIssue(issue, config[String(issue.path[0])])}`,
      {
        cause: error,
        hint: "set model.shape to slime's scripts/models/NAME.sh",
      },
    );
  }
}

/**
 * Parses a `config.json`.
 * @throws {ConfigError} If the text is not a JSON object.
 */
export function parseConfigFile(
  text: string,
  path: string,
): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(parseModelJson(text));
  } catch (error) {
    const why = error instanceof z.ZodError
      ? "it is not a JSON object"
      : messageOf(error).slice(0, 200);
    throw new ConfigError(
      `"${path}" is not a model's config: ${why}`,
      { cause: error, hint: "set model.shape to a checkpoint's config.json" },
    );
  }
}

function ropeBase({ rope_theta, rope_parameters }: BaseConfig): string {
  return String(rope_theta ?? rope_parameters?.rope_theta ?? 10_000);
}

function epsilon({ rms_norm_eps }: BaseConfig): string {
  return rms_norm_eps.toExponential();
}

function attentionWords(config: BaseConfig): string[] {
  const { num_attention_heads: heads, num_key_value_heads: groups } = config;
  const headDim = config.head_dim ?? config.hidden_size / heads;
  return [
    "--disable-bias-linear",
    ...groups === undefined || groups === heads
      ? []
      : ["--group-query-attention", "--num-query-groups", String(groups)],
    ...["--num-attention-heads", String(heads)],
    ...["--kv-channels", String(headDim)],
    ...["--num-layers", String(config.num_hidden_layers)],
    ...["--hidden-size", String(config.hidden_size)],
    ...["--ffn-hidden-size", String(config.intermediate_size)],
    ...["--normalization", "RMSNorm"],
    "--swiglu",
    ...config.tie_word_embeddings
      ? []
      : ["--untie-embeddings-and-output-weights"],
    ...["--vocab-size", String(config.vocab_size)],
    ...["--rotary-base", ropeBase(config)],
  ];
}

function denseWords(config: BaseConfig, more: readonly string[]): string[] {
  const scaling = config.rope_scaling ?? config.rope_parameters;
  const kind = scaling?.rope_type;
  if (kind !== undefined && kind !== "default" && kind !== "llama3") {
    throw new ConfigError(
      `Megatron has no argument for rope_type "${kind}"`,
      { hint: "set model.shape to slime's scripts/models/NAME.sh" },
    );
  }
  return [
    ...attentionWords(config),
    "--use-rotary-position-embeddings",
    ...["--norm-epsilon", epsilon(config)],
    ...kind === "llama3"
      ? [
        "--use-rope-scaling",
        ...["--rotary-scaling-factor", String(scaling?.factor ?? 8)],
      ]
      : [],
    ...more,
  ];
}

/** Returns the arguments that all models with experts have in common. */
function expertWords(
  { count, active, ffn }: {
    readonly count: number;
    readonly active: number;
    readonly ffn: number;
  },
): string[] {
  return [
    ...["--moe-ffn-hidden-size", String(ffn)],
    ...["--moe-token-dispatcher-type", "alltoall"],
    ...["--moe-router-topk", String(active)],
    ...["--num-experts", String(count)],
    "--moe-grouped-gemm",
    ...["--moe-router-dtype", "fp32"],
    "--moe-permute-fusion",
    ...["--moe-aux-loss-coeff", "0"],
  ];
}

function qwenMoeWords(config: z.infer<typeof qwenMoeSchema>): string[] {
  return [
    ...attentionWords(config),
    "--qk-layernorm",
    ...["--position-embedding-type", "rope"],
    ...["--rotary-percent", "1.0"],
    ...["--norm-epsilon", epsilon(config)],
    ...expertWords({
      count: config.num_experts,
      active: config.num_experts_per_tok,
      ffn: config.moe_intermediate_size,
    }),
    ...["--moe-router-score-function", "softmax"],
    ...["--moe-token-drop-policy", "probs"],
    ...["--moe-layer-freq", `[1]*${config.num_hidden_layers}`],
  ];
}

function glmMoeWords(config: z.infer<typeof glmMoeSchema>): string[] {
  const { first_k_dense_replace: dense, num_hidden_layers: layers } = config;
  const { moe_intermediate_size: ffn, routed_scaling_factor: scale } = config;
  const shared = config.n_shared_experts * ffn;
  return [
    ...attentionWords(config),
    ...config.use_qk_norm ? ["--qk-layernorm"] : [],
    ...config.attention_bias ? ["--add-qkv-bias"] : [],
    ...["--position-embedding-type", "rope"],
    ...["--rotary-percent", String(config.partial_rotary_factor)],
    ...["--norm-epsilon", epsilon(config)],
    ...expertWords({
      count: config.n_routed_experts,
      active: config.num_experts_per_tok,
      ffn,
    }),
    ...shared === 0
      ? []
      : ["--moe-shared-expert-intermediate-size", String(shared)],
    "--moe-router-pre-softmax",
    ...["--moe-router-score-function", "sigmoid"],
    "--moe-router-enable-expert-bias",
    ...["--moe-router-bias-update-rate", "0"],
    ...["--moe-router-load-balancing-type", "seq_aux_loss"],
    ...scale === 1 ? [] : ["--moe-router-topk-scaling-factor", String(scale)],
    ...["--moe-layer-freq", `[0]*${dense}+[1]*${layers - dense}`],
  ];
}
