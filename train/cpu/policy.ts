/**
 * The embedded policy: a tiny transformer with a pointer head, sampled and trained on the CPU.
 *
 * Each layer applies RMSNorm, a causal depthwise convolution of width 3, rotary causal attention over the convolution's
 * result (which is also added to the attention's output), RMSNorm, and SwiGLU. The output mixes a softmax over the
 * vocabulary, with weights tied to the embedding, and a pointer head, which copies tokens from the context (See et al.
 * 2017). The formula is in `kernels/mixture.ts`.
 *
 * @example
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { createCpuPolicy, DEFAULT_MODEL } from "./policy.ts";
 *
 * await using policy = await createCpuPolicy({ config: DEFAULT_MODEL, seed: 1, threads: 2 });
 * const { ids } = await policy.generate({
 *   ids: [1, 2, 3], session: "a", maxTokens: 8, temperature: 1, stopIds: [0], seed: 7,
 * });
 * const trainer = policy.trainer();
 * await trainer.supervised(
 *   [{ ids: [1, 2, 3], lossMask: [0, 0, 1], logprobs: [0, 0, 0], advantage: 0 }],
 *   { learningRate: 1e-3, maxGradNorm: 1 },
 * );
 * ok(ids.length <= 8);
 * ```
 */

import type {
  GenerateRequest,
  GenerateResult,
  TokenModel,
} from "../../env/types.ts";
import { readCheckpoint } from "./checkpoint.ts";
import { Engine } from "./engine.ts";
import type { KernelBuild } from "./kernel_module.ts";
import type { ModelConfig } from "./model_config.ts";
import type { AdamOptions } from "./adamw.ts";
import { Sampler } from "./sampler.ts";
import { CpuTrainer } from "./cpu_trainer.ts";

export { parameterCount } from "./layout.ts";
export {
  DEFAULT_MODEL,
  type ModelConfig,
  ModelConfigSchema,
} from "./model_config.ts";

/** Options for {@linkcode createCpuPolicy}. */
export interface CpuPolicyOptions {
  readonly config: ModelConfig;
  /** The seed of the initial weights. */
  readonly seed: number;
  /** The number of compute threads, in addition to the caller's thread. Default: 2. */
  readonly threads?: number;
  /** The maximum number of positions in the key-value cache, across all sessions. Default: 131072. */
  readonly maxCacheTokens?: number;
  /** The name in records. Default: `cpu`. */
  readonly name?: string;
  /** The build of the kernels. Default: the fastest that the machine supports. */
  readonly build?: KernelBuild;
}

/** The default number of positions in the cache; about 300 MB for the default model. */
export const DEFAULT_CACHE_TOKENS = 131072;

/** Creates a policy with random weights and starts its threads. Use it with `await using`. */
export async function createCpuPolicy(
  options: CpuPolicyOptions,
): Promise<CpuPolicy> {
  const { config, seed, threads = 2, build } = options;
  const engine = await Engine.create({
    config,
    seed,
    threads,
    ...(build ? { build } : {}),
  });
  return new CpuPolicy(engine, options);
}

/**
 * Loads a policy saved by {@linkcode CpuTrainer.save}, for sampling.
 * @throws {PolicyError} If it cannot be read or is damaged.
 */
export async function loadCpuPolicy(
  dir: string,
  options: Omit<CpuPolicyOptions, "config" | "seed"> = {},
): Promise<CpuPolicy> {
  const { config, weights } = await readCheckpoint(dir);
  const policy = await createCpuPolicy({ ...options, config, seed: 0 });
  policy.setWeights(weights);
  return policy;
}

/**
 * A policy in this process's memory. As a {@linkcode TokenModel}, it samples any number of requests concurrently. A
 * result depends only on the weights and the request, not on other requests, the number of threads or the cache.
 */
export class CpuPolicy implements TokenModel, AsyncDisposable {
  readonly name: string;
  readonly config: ModelConfig;
  readonly #engine: Engine;
  readonly #sampler: Sampler;
  #trainer: CpuTrainer | undefined;

  /** Creates a policy from an engine; call {@linkcode createCpuPolicy} instead. */
  constructor(
    engine: Engine,
    options: Pick<CpuPolicyOptions, "name" | "maxCacheTokens">,
  ) {
    this.name = options.name ?? "cpu";
    this.config = engine.config;
    this.#engine = engine;
    this.#sampler = new Sampler(
      engine,
      options.maxCacheTokens ?? DEFAULT_CACHE_TOKENS,
    );
  }

  /** The maximum number of tokens in a prompt and its answer together. */
  get contextLength(): number {
    return this.config.contextLength;
  }

  /** The number of output rows. A tokenizer trained on few texts may have fewer tokens. */
  get vocabSize(): number {
    return this.config.vocab;
  }

  /** A number that increases whenever the weights change. */
  get version(): number {
    return this.#engine.version;
  }

  /** The policy's current memory usage in bytes, and the number of positions in its cache. */
  get usage(): { readonly bytes: number; readonly cachedTokens: number } {
    return {
      bytes: this.#engine.heap.size,
      cachedTokens: this.#sampler.cachedTokens,
    };
  }

  /**
   * Samples a continuation of `ids`. Concurrent requests are computed together. Log probabilities are natural
   * logarithms of the whole mixture at the request's temperature; greedy decoding (temperature 0) reports the log
   * probabilities at temperature 1.
   * @throws {InfrastructureError} If the request is aborted or the engine fails.
   * @throws {PolicyError} If the prompt is empty, too long or outside the vocabulary.
   * @throws {RangeError} If `maxTokens` is not a non-negative integer, or the temperature is below 0.
   */
  generate(request: GenerateRequest): Promise<GenerateResult> {
    return this.#sampler.generate(request);
  }

  /** Frees the cache of a session. */
  release(session: string): void {
    this.#sampler.release(session);
  }

  /**
   * Returns the trainer of this policy's weights. It is created on the first call, and only the options of that call
   * apply.
   */
  trainer(options: Partial<AdamOptions> = {}): CpuTrainer {
    return this.#trainer ??= new CpuTrainer(this.#engine, options);
  }

  /** Returns a copy of the weights, in the order of `layoutOf(config)`. */
  weights(): Float32Array {
    return this.#engine.floatsAt(this.#engine.policy.weights).slice();
  }

  /**
   * Replaces the weights.
   * @throws {RangeError} If their number does not match the shape.
   */
  setWeights(weights: Float32Array): void {
    if (weights.length !== this.#engine.layout.floats) {
      throw new RangeError(
        `Cannot set ${weights.length} weights: the model has ${this.#engine.layout.floats}`,
      );
    }
    this.#engine.setWeights(weights);
  }

  /** Waits for running work to finish, then terminates the threads. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }
}
