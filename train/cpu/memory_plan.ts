/** Estimates the memory that a policy needs. */

import { BLOCK_ROWS } from "./batch_plan.ts";
import { Engine, pageLayout } from "./engine.ts";
import { layoutOf } from "./layout.ts";
import type { ModelConfig } from "./model_config.ts";
import { PAGE } from "./abi.ts";

/** The intended use of a policy. */
export interface MemoryPlanOptions {
  readonly threads: number;
  /** The number of tokens in the longest training sequence. */
  readonly longest: number;
  /** The number of positions in the cache: concurrent conversations × their length. */
  readonly cacheTokens: number;
  /** Whether the loss has a KL term. */
  readonly reference: boolean;
}

/** The memory of a policy in bytes, by purpose. */
export interface MemoryPlan {
  /** Weights, packed weights and tables. */
  readonly model: number;
  /** Gradients and moments of the optimizer. */
  readonly optimizer: number;
  /** Weights and packed weights of the reference; 0 without a KL term. */
  readonly reference: number;
  /** Activations for one block of rows per thread. */
  readonly activations: number;
  /** The key-value cache, with its pointer keys and the state of the convolutions. */
  readonly cache: number;
  readonly total: number;
}

/**
 * The memory that the process of a long run needs in addition to its policy and the peak during its preparation: mostly
 * garbage that V8 has not collected yet. With 220 MiB, the estimate for the default recipe is 636 to 666 MiB; complete
 * runs took 608 to 692 MiB (two threads, two cores of an x86-64 server, Deno 2.9).
 */
const GROWTH_BYTES = 220 * 2 ** 20;
/**
 * The number of conversations, sampled or demonstrated, after which a process no longer grows. With the default recipe,
 * a process grew by 90 MiB in its first 8,000 conversations.
 */
const GROWN_AFTER = 15_000;

/**
 * Estimates how many bytes a run's process needs in addition to its policy and its preparation.
 * @param conversations The number of conversations that the run samples or learns from.
 */
export function processGrowth(conversations: number): number {
  return GROWTH_BYTES * Math.min(1, conversations / GROWN_AFTER);
}

/** Estimates the memory of a policy from its shape. The kernels compute the size of the activations. */
export async function memoryPlan(
  config: ModelConfig,
  options: MemoryPlanOptions,
): Promise<MemoryPlan> {
  await using engine = await Engine.create({ config, seed: 0, threads: 1 });
  const weights = layoutOf(config).floats * 4;
  const rows = Math.max(options.longest, BLOCK_ROWS);
  const perThread = engine.kernels.trainingBytes(
    engine.policy.training,
    rows,
    Math.ceil(rows / options.longest),
    options.longest,
  ) >>> 0;
  const plan = {
    model: 3 * weights + config.contextLength * config.dim / config.heads * 4,
    optimizer: (options.threads + 2) * weights,
    reference: options.reference ? 2 * weights : 0,
    activations: options.threads * perThread,
    cache: Math.ceil(options.cacheTokens / PAGE) *
      (pageLayout(config, false).bytes +
        config.layers * config.dim * 2 * PAGE * 4),
  };
  const total = Object.values(plan).reduce((sum, bytes) => sum + bytes, 0);
  return { ...plan, total };
}
