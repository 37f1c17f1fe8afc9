/**
 * Defines the sections of a slime recipe that configure Megatron: parallelism, the algorithm, the optimizer and
 * numerics.
 */

import { z } from "zod";
import { count, positive, rate, weight } from "./value_schemas.ts";

/** The schema of `parallel`: how the model and its batches are distributed over GPUs. */
export const parallelSchema = z.strictObject({
  tensor: positive.default(2).meta({
    description: "Tensor parallelism: ranks per layer",
    flag: "--tensor-model-parallel-size",
  }),
  sequence: z.boolean().default(true).meta({
    description: "Sequence parallelism; needs tensor above 1",
    flag: "--sequence-parallel",
  }),
  pipeline: positive.default(1).meta({
    description: "Pipeline parallelism: stages of layers",
    flag: "--pipeline-model-parallel-size",
  }),
  context: positive.default(1).meta({
    description: "Context parallelism: ranks per sequence",
    flag: "--context-parallel-size",
  }),
  expert: positive.default(1).meta({
    description: "Expert parallelism: ranks over which experts are distributed",
    flag: "--expert-model-parallel-size",
  }),
  expertTensor: positive.default(1).meta({
    description: "Tensor parallelism of experts: ranks per expert",
    flag: "--expert-tensor-parallel-size",
  }),
  recompute: z.enum(["full", "selective"]).nullable().default("full").meta({
    description: "Activations to recompute in the backward pass",
    flag: "--recompute-granularity",
  }),
  recomputeMethod: z.enum(["uniform", "block"]).nullable().default("uniform")
    .meta({
      description: "How the layers to recompute are chosen",
      flag: "--recompute-method",
    }),
  recomputeLayers: positive.nullable().default(1).meta({
    description: "Layers per recomputed block",
    flag: "--recompute-num-layers",
  }),
  dynamicBatch: z.boolean().default(true).meta({
    description: "Fill micro-batches up to maxTokensPerGpu",
    flag: "--use-dynamic-batch-size",
  }),
  maxTokensPerGpu: positive.default(9216).meta({
    description:
      "Maximum tokens of a micro-batch per GPU; each micro-batch is divided among parallel.context GPUs",
    flag: "--max-tokens-per-gpu",
  }),
  microBatchSize: positive.nullable().default(null).meta({
    description: "Episodes per micro-batch if micro-batches are not dynamic",
    flag: "--micro-batch-size",
  }),
});

/** The schema of `algorithm`: advantages, losses and clipping. */
export const algorithmSchema = z.strictObject({
  advantage: z.enum([
    "grpo",
    "gspo",
    "cispo",
    "reinforce_plus_plus",
    "reinforce_plus_plus_baseline",
    "ppo",
  ]).default("grpo").meta({
    description: "Advantage estimator",
    flag: "--advantage-estimator",
  }),
  async: z.enum(["off", "one-step", "full"]).default("off").describe(
    "Whether to sample while training; off: alternate; one-step: sample the next rollout (train_async.py); full: continue episodes across rollouts and weight updates (async_rollout.py)",
  ),
  maxStaleness: count.default(1).describe(
    "With async full: maximum number of rollouts between an episode's start and its training",
  ),
  klLoss: z.boolean().default(false).meta({
    description:
      "Add the KL divergence from the reference model to the loss; costs a forward pass and a copy of its weights",
    flag: "--use-kl-loss",
  }),
  klLossCoef: weight.default(0).meta({
    description: "Coefficient of the KL term in the loss",
    flag: "--kl-loss-coef",
  }),
  klLossType: z.enum(["k1", "k2", "k3", "low_var_kl"]).default("low_var_kl")
    .meta({
      description: "Estimator of the KL divergence",
      flag: "--kl-loss-type",
    }),
  entropyCoef: weight.default(0).meta({
    description: "Coefficient of the entropy bonus",
    flag: "--entropy-coef",
  }),
  clipLow: weight.default(0.2).meta({
    description: "Lower clip range: ratios are clipped at 1 - clipLow",
    flag: "--eps-clip",
  }),
  clipHigh: weight.default(0.28).meta({
    description: "Upper clip range: ratios are clipped at 1 + clipHigh",
    flag: "--eps-clip-high",
  }),
  normalizeAdvantages: z.boolean().default(false).meta({
    description:
      "Whiten advantages across the batch; reinforce_plus_plus needs it",
    flag: "--normalize-advantages",
  }),
  engineLogprobs: z.boolean().default(false).meta({
    description: "Use the engines' log probabilities as the old policy's",
    flag: "--use-rollout-logprobs",
  }),
  importanceSampling: z.boolean().default(false).meta({
    description:
      "Correct for differences between the engines' and the trainer's log probabilities",
    flag: "--use-tis",
  }),
});

/** The schema of `optimizer`: the optimizer and its schedule. */
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
    ).meta({
      description: "Decay schedule of the learning rate",
      flag: "--lr-decay-style",
    }),
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

/** The schema of `numerics`: precision and kernels. */
export const numericsSchema = z.strictObject({
  attentionDropout: weight.default(0).meta({
    description: "Attention dropout",
    flag: "--attention-dropout",
  }),
  hiddenDropout: weight.default(0).meta({
    description: "Hidden-state dropout",
    flag: "--hidden-dropout",
  }),
  gradientsInFp32: z.boolean().default(true).meta({
    description: "Accumulate and all-reduce gradients in fp32",
    flag: "--accumulate-allreduce-grads-in-fp32",
  }),
  softmaxInFp32: z.boolean().default(true).meta({
    description: "Compute the attention softmax in fp32",
    flag: "--attention-softmax-in-fp32",
  }),
  attention: z.enum(["auto", "flash", "fused", "unfused", "local"]).default(
    "flash",
  ).meta({ description: "Attention kernel", flag: "--attention-backend" }),
});
