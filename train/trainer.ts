/** The interface between the training loop and the policy's trainer. */

import type { RatioName } from "./ratio.ts";

/** One training sequence. Arrays are `[T]`. */
export interface TrainSequence {
  readonly ids: ArrayLike<number>;
  /** 1 for each token that counts in the loss, otherwise 0. */
  readonly lossMask: ArrayLike<number>;
  /** The log probability of each token when it was sampled. It is read only where the mask is 1. */
  readonly logprobs: ArrayLike<number>;
  /** The factor applied to each token's policy gradient: one number for all tokens, or `[T]`. */
  readonly advantage: number | ArrayLike<number>;
}

/** Returns the advantage of one token of a sequence. */
export function advantageAt(
  { advantage }: Pick<TrainSequence, "advantage">,
  position: number,
): number {
  return typeof advantage === "number" ? advantage : advantage[position]!;
}

/** Settings of a policy-gradient update. */
export interface PolicyLoss {
  /** The importance ratio to clip. Default: `token`. */
  readonly ratio?: RatioName;
  readonly clipLow: number;
  readonly clipHigh: number;
  /** The weight of the k3 estimate of KL(policy ‖ reference); with 0, no reference is needed. */
  readonly klCoef: number;
  readonly entropyCoef: number;
}

/** Settings of the optimizer for one step. */
export interface StepOptions {
  readonly learningRate: number;
  /** The maximum global L2 norm of the gradient. */
  readonly maxGradNorm: number;
}

/** Measurements of an update. Means are over tokens with mask 1. */
export interface UpdateStats {
  readonly loss: number;
  readonly gradNorm: number;
  readonly entropy: number;
  /** The mean k3 estimate of the KL divergence from the policy that sampled the tokens. */
  readonly klOld: number;
  /** The mean k3 estimate of the KL divergence from the reference; 0 if `klCoef` is 0. */
  readonly klReference: number;
  readonly clipShare: number;
  readonly lossTokens: number;
  readonly tokens: number;
}

/** A trainer, which updates a policy by imitation or by policy gradient. */
export interface Trainer {
  /** Performs one supervised step on the mean cross-entropy of the tokens with mask 1. */
  supervised(
    batch: readonly TrainSequence[],
    options: StepOptions,
  ): Promise<UpdateStats>;
  /** Performs one clipped policy-gradient step; the loss is a mean over all tokens of the batch with mask 1. */
  reinforce(
    batch: readonly TrainSequence[],
    options: StepOptions & PolicyLoss,
  ): Promise<UpdateStats>;
  /** Makes the current weights the reference of the KL term. */
  setReference(): void;
  /** Resets the optimizer's moments and its step count. RL starts with a fresh Adam. */
  resetOptimizer(): void;
  /** Writes the weights, the optimizer's state and the reference with checksums, atomically. */
  save(dir: string): Promise<void>;
  /**
   * Reads a checkpoint that `save` wrote.
   * @throws {PolicyError} If the checkpoint is missing or damaged, or has a different shape.
   */
  load(dir: string): Promise<void>;
}
