/**
 * Lists the models that a recipe can name without giving a shape. Each model has the name of its Hugging Face
 * repository, without the owner.
 *
 * @see slime `scripts/models/{qwen3-30B-A3B,qwen3.5-*,glm4.5-106B-A12B}.sh` at 624b824.
 */

import { MODEL_SHAPES, type ModelShape } from "../model_shapes.ts";
import { shapeOfWords } from "./shape_of_words.ts";

/** The sizes of a Qwen3.5 model. */
interface Qwen35 {
  readonly layers: number;
  readonly hidden: number;
  readonly ffn: number;
  readonly heads: number;
  readonly groups: number;
  readonly tied: boolean;
  readonly experts?: number;
}

const EXPERTS = [
  "--moe-token-dispatcher-type alltoall --moe-router-topk 8 --moe-grouped-gemm",
  "--moe-router-dtype fp32 --moe-permute-fusion --moe-aux-loss-coeff 0",
];

/** The shapes of all presets, keyed by model name. */
export const MODEL_PRESETS: Readonly<Record<string, ModelShape>> = {
  ...MODEL_SHAPES,
  "Qwen3-30B-A3B": qwen3Experts(1_000_000, 40_960),
  "Qwen3-30B-A3B-Instruct-2507": qwen3Experts(10_000_000, 262_144),
  "Qwen3.5-0.8B": qwen35({
    layers: 24,
    hidden: 1024,
    ffn: 3584,
    heads: 8,
    groups: 2,
    tied: true,
  }),
  "Qwen3.5-4B": qwen35({
    layers: 32,
    hidden: 2560,
    ffn: 9216,
    heads: 16,
    groups: 4,
    tied: true,
  }),
  "Qwen3.5-9B": qwen35({
    layers: 32,
    hidden: 4096,
    ffn: 12_288,
    heads: 16,
    groups: 4,
    tied: false,
  }),
  "Qwen3.5-27B": qwen35({
    layers: 64,
    hidden: 5120,
    ffn: 17_408,
    heads: 24,
    groups: 4,
    tied: false,
  }),
  "Qwen3.5-35B-A3B": qwen35({
    layers: 40,
    hidden: 2048,
    ffn: 512,
    heads: 16,
    groups: 2,
    tied: false,
    experts: 256,
  }),
  "GLM-4.5-Air": preset(
    "glm4_moe",
    131_072,
    "--disable-bias-linear --group-query-attention --num-attention-heads 96",
    "--num-query-groups 8 --kv-channels 128 --num-layers 46 --hidden-size 4096",
    "--ffn-hidden-size 10944 --add-qkv-bias --normalization RMSNorm",
    "--position-embedding-type rope --rotary-percent 0.5 --swiglu",
    "--untie-embeddings-and-output-weights --vocab-size 151552 --rotary-base 1000000",
    "--moe-ffn-hidden-size 1408 --moe-shared-expert-intermediate-size 1408",
    "--moe-router-pre-softmax --moe-router-score-function sigmoid",
    "--moe-router-enable-expert-bias --moe-router-bias-update-rate 0",
    "--moe-router-load-balancing-type seq_aux_loss --num-experts 128",
    "--moe-layer-freq [0]*1+[1]*45",
    ...EXPERTS,
  ),
};

/** Prefixes of model names, such as `GLM-`, each with the Hugging Face account that owns the models. */
const OWNERS: readonly (readonly [name: string, owner: string])[] = [
  ["Qwen", "Qwen"],
  ["GLM-", "zai-org"],
];

/**
 * Returns the name of a model's Hugging Face repository; `name` itself if it contains the owner, or the owner is
 * unknown.
 */
export function repositoryOf(name: string): string {
  const owner = OWNERS.find(([begin]) => name.startsWith(begin))?.[1];
  return owner === undefined || name.includes("/") ? name : `${owner}/${name}`;
}

function preset(
  modelType: string,
  positions: number,
  ...lines: readonly string[]
): ModelShape {
  const words = lines.join(" ").split(" ");
  return shapeOfWords(words, { origin: "a preset", modelType, positions });
}

function qwen3Experts(ropeBase: number, positions: number): ModelShape {
  return preset(
    "qwen3_moe",
    positions,
    "--disable-bias-linear --qk-layernorm --group-query-attention",
    "--num-attention-heads 32 --num-query-groups 4 --kv-channels 128",
    "--num-layers 48 --hidden-size 2048 --ffn-hidden-size 6144",
    "--normalization RMSNorm --position-embedding-type rope --norm-epsilon 1e-6",
    "--rotary-percent 1.0 --swiglu --untie-embeddings-and-output-weights",
    `--vocab-size 151936 --rotary-base ${ropeBase}`,
    "--moe-ffn-hidden-size 768 --moe-router-score-function softmax",
    "--moe-layer-freq [1]*48 --num-experts 128 --moe-token-drop-policy probs",
    ...EXPERTS,
  );
}

function qwen35(
  { layers, hidden, ffn, heads, groups, tied, experts }: Qwen35,
): ModelShape {
  return preset(
    experts === undefined ? "qwen3_5" : "qwen3_5_moe",
    262_144,
    "--spec slime_plugins.models.qwen3_5 get_qwen3_5_spec",
    "--disable-bias-linear --qk-layernorm --group-query-attention",
    `--num-attention-heads ${heads} --num-query-groups ${groups}`,
    `--kv-channels 256 --num-layers ${layers} --hidden-size ${hidden}`,
    `--ffn-hidden-size ${ffn} --use-gated-attention --normalization RMSNorm`,
    "--apply-layernorm-1p --position-embedding-type rope --norm-epsilon 1e-6",
    "--rotary-percent 0.25 --swiglu --vocab-size 248320 --rotary-base 10000000",
    "--attention-output-gate",
    ...tied ? [] : ["--untie-embeddings-and-output-weights"],
    ...experts === undefined ? [] : [
      `--moe-ffn-hidden-size ${ffn} --moe-shared-expert-intermediate-size ${ffn}`,
      `--moe-router-score-function softmax --moe-layer-freq [1]*${layers}`,
      `--num-experts ${experts} --moe-token-drop-policy probs`,
      "--moe-shared-expert-gate",
      ...EXPERTS,
    ],
  );
}
