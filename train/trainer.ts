/** The seam between the loop and what updates the policy. */

import type { RatioName } from "./ratio.ts";

/** One sequence to learn from. Arrays are `[T]`. */
export interface TrainSequence {
  readonly ids: ArrayLike<number>;
  /** 1 where a token counts in the loss. */
  readonly lossMask: ArrayLike<number>;
  /** Log probability of each token when it was sampled; only read where the mask is 1. */
  readonly logprobs: ArrayLike<number>;
  /** What multiplies each token's policy gradient: one number for all, or `[T]`. */
  readonly advantage: number | ArrayLike<number>;
}

/** The advantage of a sequence's token. */
export function advantageAt(
  { advantage }: Pick<TrainSequence, "advantage">,
  position: number,
): number {
  return typeof advantage === "number" ? advantage : advantage[position]!;
}

/** Settings of one policy-gradient update. */
export interface PolicyLoss {
  /** What is clipped. Default: `token`. */
  readonly ratio?: RatioName;
  readonly clipLow: number;
  readonly clipHigh: number;
  /** Weight of the k3 estimate of KL(policy ‖ reference); 0 leaves the reference out. */
  readonly klCoef: number;
  readonly entropyCoef: number;
}

/** Settings of the optimizer for one step. */
export interface StepOptions {
  readonly learningRate: number;
  /** Largest global L2 norm of the gradient. */
  readonly maxGradNorm: number;
}

/** What an update measured; means are over tokens with mask 1. */
export interface UpdateStats {
  readonly loss: number;
  readonly gradNorm: number;
  readonly entropy: number;
  /** Mean k3 estimate against the policy that sampled. */
  readonly klOld: number;
  /** Mean k3 estimate against the reference; 0 where there is none. */
  readonly klReference: number;
  readonly clipShare: number;
  readonly lossTokens: number;
  readonly tokens: number;
}

/** Groups of episodes in, a better policy out. */
export interface Trainer {
  /** One supervised step: mean cross-entropy of the tokens with mask 1. */
  supervised(
    batch: readonly TrainSequence[],
    options: StepOptions,
  ): Promise<UpdateStats>;
  /** One step of the clipped policy gradient; token mean over the whole batch. */
  reinforce(
    batch: readonly TrainSequence[],
    options: StepOptions & PolicyLoss,
  ): Promise<UpdateStats>;
  /** Makes the current weights the reference of the KL term. */
  setReference(): void;
  /** Forgets the optimizer's moments (RL starts with a fresh Adam). */
  resetOptimizer(): void;
  /** Writes weights, optimizer and reference, with checksums; whole or not at all. */
  save(dir: string): Promise<void>;
  /** Reads what `save` wrote. @throws {PolicyError} If a checksum or a shape is wrong. */
  load(dir: string): Promise<void>;
}
