/** The sections of a slime recipe that Megatron reads: how the model is spread, what is learnt from, and how. */

import { z } from "zod";
import { key, positive, rate, weight } from "./schema_key.ts";

/** How the model and its batches are spread over GPUs. */
export const parallelSchema = z.strictObject({
  tensor: key(
    positive.default(2),
    "Ranks that share each layer",
    "--tensor-model-parallel-size",
  ),
  sequence: key(
    z.boolean().default(true),
    "Share norms along the sequence; needs tensor above 1",
    "--sequence-parallel",
  ),
  pipeline: key(
    positive.default(1),
    "Ranks that share the layers",
    "--pipeline-model-parallel-size",
  ),
  context: key(
    positive.default(1),
    "Ranks that share each sequence",
    "--context-parallel-size",
  ),
  expert: key(
    positive.default(1),
    "Ranks that share the experts",
    "--expert-model-parallel-size",
  ),
  expertTensor: key(
    positive.default(1),
    "Ranks that share each expert",
    "--expert-tensor-parallel-size",
  ),
  recompute: key(
    z.enum(["full", "selective"]).nullable().default("full"),
    "What is computed again in the backward pass instead of kept",
    "--recompute-granularity",
  ),
  recomputeMethod: key(
    z.enum(["uniform", "block"]).nullable().default("uniform"),
    "How layers are chosen for it",
    "--recompute-method",
  ),
  recomputeLayers: key(
    positive.nullable().default(1),
    "Layers a piece of it",
    "--recompute-num-layers",
  ),
  dynamicBatch: key(
    z.boolean().default(true),
    "Fill micro-batches up to a number of tokens",
    "--use-dynamic-batch-size",
  ),
  maxTokensPerGpu: key(
    positive.default(9216),
    "Most tokens of a micro-batch, a GPU; times context",
    "--max-tokens-per-gpu",
  ),
  microBatchSize: key(
    positive.nullable().default(null),
    "Episodes of a micro-batch, where it is not dynamic",
    "--micro-batch-size",
  ),
});

/** What is learnt from. */
export const algorithmSchema = z.strictObject({
  advantage: key(
    z.enum([
      "grpo",
      "gspo",
      "cispo",
      "reinforce_plus_plus",
      "reinforce_plus_plus_baseline",
      "ppo",
    ]).default("grpo"),
    "How rewards become advantages",
    "--advantage-estimator",
  ),
  klLoss: key(
    z.boolean().default(true),
    "Measure the KL to the reference, at a forward pass of it",
    "--use-kl-loss",
  ),
  klLossCoef: key(
    weight.default(0),
    "Weight of that KL in the loss",
    "--kl-loss-coef",
  ),
  klLossType: key(
    z.enum(["k1", "k2", "k3", "low_var_kl"]).default("low_var_kl"),
    "How it is estimated",
    "--kl-loss-type",
  ),
  entropyCoef: key(
    weight.default(0),
    "Weight of the entropy bonus",
    "--entropy-coef",
  ),
  clipLow: key(
    weight.default(0.2),
    "The ratio is clipped at 1 - clipLow",
    "--eps-clip",
  ),
  clipHigh: key(
    weight.default(0.28),
    "The ratio is clipped at 1 + clipHigh",
    "--eps-clip-high",
  ),
  normalizeAdvantages: key(
    z.boolean().default(false),
    "Whiten advantages over the batch; reinforce_plus_plus needs it",
    "--normalize-advantages",
  ),
  engineLogprobs: key(
    z.boolean().default(false),
    "Take the engines' log probabilities for the old policy's",
    "--use-rollout-logprobs",
  ),
  importanceSampling: key(
    z.boolean().default(false),
    "Correct for engines and trainer not agreeing on log probabilities",
    "--use-tis",
  ),
});

/** How weights move. */
export const optimizerSchema = z.strictObject({
  name: key(
    z.enum(["adam", "sgd"]).default("adam"),
    "The optimizer",
    "--optimizer",
  ),
  learningRate: key(rate.default(1e-6), "Learning rate", "--lr"),
  decay: key(
    z.enum(["constant", "linear", "cosine", "inverse-square-root"]).default(
      "constant",
    ),
    "How it decays",
    "--lr-decay-style",
  ),
  weightDecay: key(weight.default(0.1), "Weight decay", "--weight-decay"),
  beta1: key(weight.default(0.9), "Adam's β1", "--adam-beta1"),
  beta2: key(weight.default(0.98), "Adam's β2", "--adam-beta2"),
});

/** Precision and kernels. */
export const numericsSchema = z.strictObject({
  attentionDropout: key(
    weight.default(0),
    "Dropout of attention",
    "--attention-dropout",
  ),
  hiddenDropout: key(
    weight.default(0),
    "Dropout of hidden states",
    "--hidden-dropout",
  ),
  gradientsInFp32: key(
    z.boolean().default(true),
    "Sum and reduce gradients in fp32",
    "--accumulate-allreduce-grads-in-fp32",
  ),
  softmaxInFp32: key(
    z.boolean().default(true),
    "Softmax of attention in fp32",
    "--attention-softmax-in-fp32",
  ),
  attention: key(
    z.enum(["auto", "flash", "fused", "unfused", "local"]).default("flash"),
    "Kernel of attention",
    "--attention-backend",
  ),
});
