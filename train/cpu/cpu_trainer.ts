/** The CPU trainer, which performs supervised and clipped policy-gradient steps on the weights in a policy's memory. */

import { messageOf, TrainerError } from "../../env/errors.ts";
import { ratios } from "../ratio.ts";
import {
  advantageAt,
  type PolicyLoss,
  type StepOptions,
  type Trainer,
  type TrainSequence,
  type UpdateStats,
} from "../trainer.ts";
import { planBatches } from "./batch_plan.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import type { Engine, ModelCopy } from "./engine.ts";
import {
  accumulateGradient,
  JobMemory,
  type LossResult,
  type LossSettings,
} from "./gradient.ts";
import { type AdamOptions, AdamW, DEFAULT_ADAM } from "./adamw.ts";

/** The loss settings of supervised steps, which do not use the policy gradient. */
const SUPERVISED: LossSettings = {
  mode: "supervised",
  ratio: "token",
  clipLow: 0,
  clipHigh: 0,
  klCoef: 0,
  entropyCoef: 0,
};

/**
 * The trainer of an engine's weights. Training is deterministic: the same weights, batches and number of threads
 * produce the same bits. A step waits for earlier steps, and fails if the policy is sampling.
 */
export class CpuTrainer implements Trainer {
  readonly #engine: Engine;
  readonly #adam: AdamW;
  readonly #memory: JobMemory;
  #reference: ModelCopy | undefined;
  #hasReference = false;

  /** Creates a trainer; call `CpuPolicy.trainer()` instead. */
  constructor(engine: Engine, options: Partial<AdamOptions> = {}) {
    this.#engine = engine;
    this.#adam = new AdamW(engine, { ...DEFAULT_ADAM, ...options });
    this.#memory = new JobMemory(engine);
  }

  /**
   * Performs one supervised step on the mean cross-entropy of the tokens with mask 1.
   * @throws {TrainerError} If a sequence is invalid, no token has mask 1, the gradient is not finite, or the policy is
   * sampling.
   */
  supervised(
    batch: readonly TrainSequence[],
    options: StepOptions,
  ): Promise<UpdateStats> {
    return this.#step(batch, options, SUPERVISED);
  }

  /**
   * Performs one step of the clipped policy gradient. The loss is the mean over all tokens with mask 1 of -min(ρA,
   * clip(ρ, 1 - clipLow, 1 + clipHigh)A) + klCoef·k3(π‖reference) - entropyCoef·H, where ρ = π/π_old is the ratio of
   * the token or of its sequence, and A is the advantage.
   * @throws {TrainerError} If a sequence is invalid, no token has mask 1, the gradient is not finite, the policy is
   * sampling, or `klCoef` is not 0 and no reference is set.
   * @see Shao et al. 2024 (GRPO); Yu et al. 2025 (DAPO: separate bounds, token mean); Zheng et al. 2025 (GSPO: the
   * sequence's ratio); Schulman 2020, "Approximating KL divergence" (k3).
   */
  async reinforce(
    batch: readonly TrainSequence[],
    options: StepOptions & PolicyLoss,
  ): Promise<UpdateStats> {
    const { ratio = "token", clipLow, clipHigh, klCoef, entropyCoef } = options;
    if (klCoef !== 0 && !this.#hasReference) {
      throw new TrainerError(
        `klCoef is ${klCoef}, but no reference is set; call setReference() first`,
      );
    }
    return await this.#step(batch, options, {
      mode: "reinforce",
      ratio,
      clipLow,
      clipHigh,
      klCoef,
      entropyCoef,
    });
  }

  /** Makes the current weights the reference of the KL term. */
  setReference(): void {
    const engine = this.#engine;
    this.#setReference(engine.floatsAt(engine.policy.weights).slice());
  }

  /** Resets the optimizer's moments and its step count. */
  resetOptimizer(): void {
    this.#adam.reset();
  }

  /**
   * Writes a checkpoint atomically: the weights, the optimizer's state and, if set, the reference, with checksums.
   * @throws {PolicyError} If the checkpoint cannot be written.
   */
  save(dir: string): Promise<void> {
    const engine = this.#engine;
    return engine.exclusively(() => {
      const copy = (at: number) => engine.floatsAt(at).slice();
      return writeCheckpoint(dir, {
        config: engine.config,
        steps: this.#adam.steps,
        weights: copy(engine.policy.weights),
        first: copy(this.#adam.first),
        second: copy(this.#adam.second),
        ...(this.#hasReference && this.#reference
          ? { reference: copy(this.#reference.weights) }
          : {}),
      });
    });
  }

  /**
   * Restores the weights, the optimizer's state and the reference from a checkpoint written by {@linkcode save}.
   * @throws {PolicyError} If the checkpoint is missing or damaged, or has another shape. Nothing is changed in this
   * case.
   * @throws {TrainerError} If the policy is sampling. Nothing is changed in this case.
   */
  load(dir: string): Promise<void> {
    const engine = this.#engine;
    return engine.exclusively(async () => {
      const read = await readCheckpoint(dir, { expect: engine.config });
      this.#refuseWhileSampling();
      engine.setWeights(read.weights);
      engine.floatsAt(this.#adam.first).set(read.first);
      engine.floatsAt(this.#adam.second).set(read.second);
      this.#adam.steps = read.steps;
      this.#hasReference = false;
      if (read.reference) this.#setReference(read.reference);
    });
  }

  /**
   * Computes the gradient of a batch's loss, `[layout.floats]`, and the result for each learned token, without updating
   * the weights. For tests and inspection.
   */
  gradient(
    batch: readonly TrainSequence[],
    loss: PolicyLoss | "supervised",
  ): Promise<{ gradient: Float32Array; results: LossResult[] }> {
    const settings = loss === "supervised"
      ? SUPERVISED
      : { ratio: "token" as const, ...loss, mode: "reinforce" as const };
    return this.#engine.exclusively(async () => {
      const results = await this.#accumulate(batch, settings);
      await this.#adam.reduce();
      const gradient = this.#engine.floatsAt(this.#adam.gradients[0]!).slice();
      this.#adam.clearGradients();
      return { gradient, results };
    });
  }

  #step(
    batch: readonly TrainSequence[],
    options: StepOptions,
    loss: LossSettings,
  ): Promise<UpdateStats> {
    return this.#engine.exclusively(async () => {
      const results = await this.#accumulate(batch, loss);
      const gradNorm = await this.#adam.step(options);
      const tokens = batch.reduce((sum, s) => sum + s.ids.length, 0);
      return { ...statsOf(batch, results, loss), gradNorm, tokens };
    });
  }

  async #accumulate(
    batch: readonly TrainSequence[],
    loss: LossSettings,
  ): Promise<LossResult[]> {
    this.#refuseWhileSampling();
    batch.forEach((s, i) => checkSequence(s, i, this.#engine));
    const plan = planBatches(batch, {
      config: this.#engine.config,
      threads: this.#engine.crew.size,
    });
    if (plan.every((list) => list.length === 0)) {
      throw new TrainerError(
        `Cannot learn from the batch: none of its tokens has loss mask 1`,
      );
    }
    try {
      return await accumulateGradient(this.#engine, {
        sequences: batch,
        plan,
        loss,
        gradients: this.#adam.gradients,
        memory: this.#memory,
        ...(this.#hasReference && this.#reference
          ? { reference: this.#reference.training }
          : {}),
      });
    } catch (cause) {
      this.#adam.clearGradients();
      throw new TrainerError(`The update failed: ${messageOf(cause)}`, {
        cause,
      });
    }
  }

  #setReference(weights: Float32Array): void {
    const engine = this.#engine;
    this.#reference ??= engine.copyModel(false);
    engine.floatsAt(this.#reference.weights).set(weights);
    engine.kernels.pack(this.#reference.training, 0, 1);
    this.#hasReference = true;
  }

  #refuseWhileSampling(): void {
    if (this.#engine.sampling > 0) {
      throw new TrainerError(
        `Cannot update the policy while it is sampling (${this.#engine.sampling} in progress); await all requests first`,
      );
    }
  }
}

function checkSequence(s: TrainSequence, index: number, engine: Engine): void {
  const { contextLength, vocab } = engine.config;
  const n = s.ids.length;
  if (s.lossMask.length !== n || s.logprobs.length !== n) {
    throw new TrainerError(
      `Sequence ${index} has ${n} ids, ${s.lossMask.length} mask entries and ${s.logprobs.length} logprobs; the three numbers must be equal`,
    );
  }
  if (typeof s.advantage !== "number" && s.advantage.length !== n) {
    throw new TrainerError(
      `Sequence ${index} has ${n} ids and ${s.advantage.length} advantages; pass one number, or one per token`,
    );
  }
  if (n > contextLength) {
    throw new TrainerError(
      `Sequence ${index} has ${n} tokens, more than the policy's context length of ${contextLength}; shorten the sequence, or raise model.contextLength`,
    );
  }
  for (let t = 0; t < n; t++) {
    const id = s.ids[t]!;
    if (!Number.isInteger(id) || id < 0 || id >= vocab) {
      throw new TrainerError(
        `Token id ${id} at position ${t} of sequence ${index} is outside the vocabulary of ${vocab} tokens`,
      );
    }
  }
}

/**
 * Returns the means of the learned tokens' measurements. Values are summed in the order of the batch, so the result is
 * deterministic.
 */
function statsOf(
  batch: readonly TrainSequence[],
  results: readonly LossResult[],
  loss: LossSettings,
): Omit<UpdateStats, "gradNorm" | "tokens"> {
  const n = results.length;
  let total = 0;
  let entropy = 0;
  let klOld = 0;
  let klReference = 0;
  let clipped = 0;
  for (const [index, found] of Map.groupBy(results, ({ index }) => index)) {
    const sequence = batch[index]!;
    const logs = found.map((r) => r.logprob - sequence.logprobs[r.position]!);
    const ratio = ratios(logs, loss.ratio);
    found.forEach((r, i) => {
      entropy += r.entropy;
      if (loss.mode === "supervised") {
        total -= r.logprob;
        return;
      }
      const advantage = advantageAt(sequence, r.position);
      const bounded = Math.min(
        Math.max(ratio[i]!, 1 - loss.clipLow),
        1 + loss.clipHigh,
      );
      total -= Math.min(ratio[i]! * advantage, bounded * advantage);
      klOld += Math.exp(logs[i]!) - 1 - logs[i]!;
      if (r.clipped) clipped++;
      if (loss.klCoef !== 0) {
        const d = r.referenceLogprob - r.logprob;
        klReference += Math.exp(d) - d - 1;
      }
    });
  }
  total += loss.klCoef * klReference - loss.entropyCoef * entropy;
  return {
    loss: total / n,
    entropy: entropy / n,
    klOld: klOld / n,
    klReference: klReference / n,
    clipShare: clipped / n,
    lossTokens: n,
  };
}
