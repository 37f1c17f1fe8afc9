/** Runs the AdamW optimizer over shared memory, on all threads and in a deterministic order. */

import { TrainerError } from "../../env/errors.ts";
import type { StepOptions } from "../trainer.ts";
import { OPTIMIZER_JOB, sizeOf, writeStruct } from "./abi.ts";
import type { Engine } from "./engine.ts";

/** Hyperparameters that stay the same for all steps. */
export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** The weight decay of matrices; vectors do not decay. */
  readonly weightDecay: number;
}

/** The default hyperparameters, tuned for the policy with 0.5M parameters. */
export const DEFAULT_ADAM: AdamOptions = {
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  weightDecay: 0.01,
};

/**
 * The AdamW optimizer of an engine's weights, with its gradients, moments and step count.
 * @see Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization".
 */
export class AdamW {
  readonly #engine: Engine;
  readonly #options: AdamOptions;
  /** The addresses of the gradients, one per thread. */
  readonly gradients: readonly number[];
  /** The address of the first moments. */
  readonly first: number;
  /** The address of the second moments. */
  readonly second: number;
  readonly #table: number;
  readonly #jobs: readonly number[];
  readonly #squares: number;
  /** The number of steps since the optimizer was created or reset. */
  steps = 0;

  constructor(engine: Engine, options: AdamOptions) {
    const { heap, layout, crew } = engine;
    this.#engine = engine;
    this.#options = options;
    const bytes = layout.floats * 4;
    const threads = Array.from({ length: crew.size }, (_, i) => i);
    this.gradients = threads.map(() => heap.allocate(bytes));
    this.first = heap.allocate(bytes);
    this.second = heap.allocate(bytes);
    this.#table = heap.allocate(4 * crew.size);
    this.#squares = heap.allocate(8 * crew.size);
    this.#jobs = threads.map(() => heap.allocate(sizeOf(OPTIMIZER_JOB)));
  }

  /** Resets the moments and the step count. */
  reset(): void {
    this.#engine.floatsAt(this.first).fill(0);
    this.#engine.floatsAt(this.second).fill(0);
    this.steps = 0;
  }

  /** Sets the gradients of all threads to zero. */
  clearGradients(): void {
    for (const at of this.gradients) this.#engine.floatsAt(at).fill(0);
  }

  /**
   * Sums the gradients of all threads into the first thread's gradient, and sets the others to zero.
   * @returns The global L2 norm of the sum.
   */
  async reduce(): Promise<number> {
    this.#writeJobs({ learningRate: 0, maxGradNorm: 0 }, 1);
    await this.#engine.crew.run("reduce", this.#jobs.map((at) => [at]));
    let squares = 0;
    this.#jobs.forEach((_, i) => {
      squares += this.#engine.heap.doubles[this.#squares / 8 + i]!;
    });
    return Math.sqrt(squares);
  }

  /**
   * Sums the gradients of all threads, clips the sum by its global norm, updates and repacks the weights, and sets the
   * gradients to zero.
   * @returns The norm before clipping.
   * @throws {TrainerError} If the gradient is not finite; the weights are then unchanged, and the gradients are set to
   * zero.
   */
  async step(options: StepOptions): Promise<number> {
    const norm = await this.reduce();
    if (!Number.isFinite(norm)) {
      this.clearGradients();
      throw new TrainerError(
        `The gradient at optimizer step ${
          this.steps + 1
        } is not finite; the weights were not updated`,
        {
          hint:
            `lower the learning rate (${options.learningRate}), or inspect the batch`,
        },
      );
    }
    this.steps++;
    this.#writeJobs(options, Math.min(1, options.maxGradNorm / (norm + 1e-12)));
    await this.#engine.crew.run("adamw", this.#jobs.map((at) => [at]));
    await this.#engine.repack();
    return norm;
  }

  #writeJobs(options: StepOptions, gradientScale: number): void {
    const { heap, layout, crew, policy } = this.#engine;
    const { beta1, beta2, epsilon, weightDecay } = this.#options;
    const lines = layout.floats / 16;
    this.gradients.forEach((at, i) => {
      heap.ints[this.#table / 4 + i] = at;
    });
    this.#jobs.forEach((at, i) => {
      writeStruct(heap, at, OPTIMIZER_JOB, {
        start: Math.floor(lines * i / crew.size) * 16,
        end: Math.floor(lines * (i + 1) / crew.size) * 16,
        weights: policy.weights,
        gradients: this.#table,
        gradientCount: crew.size,
        first: this.first,
        second: this.second,
        squares: this.#squares + 8 * i,
        decayEnd: layout.decayEnd,
        gradientScale,
        learningRate: options.learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        correction1: 1 / (1 - beta1 ** this.steps),
        correction2: 1 / (1 - beta2 ** this.steps),
      });
    });
  }
}
