/** The sections of a slime recipe for Megatron: parallelism, the algorithm, the optimizer and numerics. */

import { z } from "zod";
import { count, positive, rate, weight } from "./value_schemas.ts";

/** How the model and its batches are distributed over GPUs. */
export const parallelSchema = z.strictObject({
  tensor: positive.default(2).meta({
    description: "Ranks that share each layer",
    flag: "--tensor-model-parallel-size",
  }),
  sequence: z.boolean().default(true).meta({
    description: "Share norms along the sequence; needs tensor above 1",
    flag: "--sequence-parallel",
  }),
  pipeline: positive.default(1).meta({
    description: "Ranks that share the layers",
    flag: "--pipeline-model-parallel-size",
  }),
  context: positive.default(1).meta({
    description: "Ranks that share each sequence",
    flag: "--context-parallel-size",
  }),
  expert: positive.default(1).meta({
    description: "Ranks that share the experts",
    flag: "--expert-model-parallel-size",
  }),
  expertTensor: positive.default(1).meta({
    description: "Ranks that share each expert",
    flag: "--expert-tensor-parallel-size",
  }),
  recompute: z.enum(["full", "selective"]).nullable().default("full").meta({
    description: "What is computed again in the backward pass instead of kept",
    flag: "--recompute-granularity",
  }),
  recomputeMethod: z.enum(["uniform", "block"]).nullable().default("uniform")
    .meta({
      description: "How layers are chosen for it",
      flag: "--recompute-method",
    }),
  recomputeLayers: positive.nullable().default(1).meta({
    description: "Layers a piece of it",
    flag: "--recompute-num-layers",
  }),
  dynamicBatch: z.boolean().default(true).meta({
    description: "Fill micro-batches up to a number of tokens",
    flag: "--use-dynamic-batch-size",
  }),
  maxTokensPerGpu: positive.default(9216).meta({
    description: "Most tokens of a micro-batch, a GPU; times context",
    flag: "--max-tokens-per-gpu",
  }),
  microBatchSize: positive.nullable().default(null).meta({
    description: "Episodes of a micro-batch, where it is not dynamic",
    flag: "--micro-batch-size",
  }),
});

/** The algorithm: advantages, losses and clipping. */
export const algorithmSchema = z.strictObject({
  advantage: z.enum([
    "grpo",
    "gspo",
    "cispo",
    "reinforce_plus_plus",
    "reinforce_plus_plus_baseline",
    "ppo",
  ]).default("grpo").meta({
    description: "How rewards become advantages",
    flag: "--advantage-estimator",
  }),
  async: z.enum(["off", "one-step", "full"]).default("off").describe(
    "What is sampled while the policy trains: off takes turns, one-step the next rollout (train_async.py), full goes on across rollouts and weight updates (with async_rollout.py)",
  ),
  maxStaleness: count.default(1).describe(
    "With async full: rollouts that an episode may have begun before the one that trains on it",
  ),
  klLoss: z.boolean().default(false).meta({
    description:
      "Put the KL to the reference into the loss; costs a forward pass of the reference and a copy of its weights",
    flag: "--use-kl-loss",
  }),
  klLossCoef: weight.default(0).meta({
    description: "Weight of that KL in the loss",
    flag: "--kl-loss-coef",
  }),
  klLossType: z.enum(["k1", "k2", "k3", "low_var_kl"]).default("low_var_kl")
    .meta({ description: "How it is estimated", flag: "--kl-loss-type" }),
  entropyCoef: weight.default(0).meta({
    description: "Weight of the entropy bonus",
    flag: "--entropy-coef",
  }),
  clipLow: weight.default(0.2).meta({
    description: "The ratio is clipped at 1 - clipLow",
    flag: "--eps-clip",
  }),
  clipHigh: weight.default(0.28).meta({
    description: "The ratio is clipped at 1 + clipHigh",
    flag: "--eps-clip-high",
  }),
  normalizeAdvantages: z.boolean().default(false).meta({
    description:
      "Whiten advantages over the batch; reinforce_plus_plus needs it",
    flag: "--normalize-advantages",
  }),
  engineLogprobs: z.boolean().default(false).meta({
    description: "Take the engines' log probabilities for the old policy's",
    flag: "--use-rollout-logprobs",
  }),
  importanceSampling: z.boolean().default(false).meta({
    description:
      "Correct for engines and trainer not agreeing on log probabilities",
    flag: "--use-tis",
  }),
});

/** The optimizer and its schedule. */
export const optimizerSchema = z.strictObject({
  name: z.enum(["adam", "sgd"]).default("adam").meta({
    description: "The optimizer",
    flag: "--optimizer",
  }),
  learningRate: rate.default(1e-6).meta({
    description: "Learning rate",
    flag: "--lr",
  }),
  decay: z.enum(["constant", "linear", "cosine", "inverse-square-root"])
    .default(
      "constant",
    ).meta({ description: "How it decays", flag: "--lr-decay-style" }),
  weightDecay: weight.default(0.1).meta({
    description: "Weight decay",
    flag: "--weight-decay",
  }),
  beta1: weight.default(0.9).meta({
    description: "Adam's β1",
    flag: "--adam-beta1",
  }),
  beta2: weight.default(0.98).meta({
    description: "Adam's β2",
    flag: "--adam-beta2",
  }),
});

/** Precision and kernels. */
export const numericsSchema = z.strictObject({
  attentionDropout: weight.default(0).meta({
    description: "Dropout of attention",
    flag: "--attention-dropout",
  }),
  hiddenDropout: weight.default(0).meta({
    description: "Dropout of hidden states",
    flag: "--hidden-dropout",
  }),
  gradientsInFp32: z.boolean().default(true).meta({
    description: "Sum and reduce gradients in fp32",
    flag: "--accumulate-allreduce-grads-in-fp32",
  }),
  softmaxInFp32: z.boolean().default(true).meta({
    description: "Softmax of attention in fp32",
    flag: "--attention-softmax-in-fp32",
  }),
  attention: z.enum(["auto", "flash", "fused", "unfused", "local"]).default(
    "flash",
  ).meta({ description: "Kernel of attention", flag: "--attention-backend" }),
});
