/**
 * Computes the memory of a slime run: per GPU during training and sampling, per host, and on disk. Sizes that follow
 * from the shapes are exact. The sizes of activations and of the libraries' overhead are marked as estimates or
 * assumptions.
 */

import { gigabytes } from "../../progress/amounts.ts";
import { type Fault, faultText } from "../fault.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import {
  cacheNumbers,
  expertParameters,
  type ModelShape,
  paddedVocab,
  parameterCount,
  sharedParameters,
} from "../model_shapes.ts";

/** The memory in bytes that training uses on the fullest GPU. */
export interface TrainingMemory {
  /** The number of parameters on the GPU. */
  readonly parameters: number;
  readonly weights: number;
  readonly gradients: number;
  /**
   * The fp32 weights and the two moments, which are distributed among the ranks that hold the same parameters; 0 if
   * they are kept in host memory.
   */
  readonly optimizer: number;
  /** The activations (an estimate). */
  readonly activations: number;
  /** A micro-batch's logits, including the intermediate values of the loss (an estimate). */
  readonly logits: number;
  /** The memory that libraries use and that a sleeping engine keeps on the GPU (an assumption). */
  readonly beside: number;
  readonly total: number;
}

/** The memory in bytes that an engine uses per GPU during sampling. */
export interface EngineMemory {
  /** The engine's memory limit in bytes for weights and cache together. */
  readonly share: number;
  readonly weights: number;
  readonly cache: number;
  /** The number of tokens that fit in an engine's cache. */
  readonly cacheTokens: number;
  /** The expected number of tokens in the concurrent episodes of an engine. Their common prompt is counted once. */
  readonly expectedTokens: number;
  /** The memory in addition to `share` that libraries use and that the sleeping trainer keeps (an assumption). */
  readonly beside: number;
}

/** The memory and disk space that a run needs. */
export interface MemoryPlan {
  readonly gpu: number;
  /** The number of tokens per GPU in the largest micro-batch. */
  readonly microBatchTokens: number;
  readonly training: TrainingMemory;
  readonly engine: EngineMemory;
  /**
   * The memory in bytes per host for copies of the weights, and for the state that is moved from GPUs to host memory
   * during sampling.
   */
  readonly host: number;
  readonly disk: DiskPlan;
}

/** The disk space of a run. */
export interface DiskPlan {
  readonly checkpoint: number;
  readonly huggingFace: number;
  /**
   * The maximum number of checkpoints that exist at once. The run removes older checkpoints unless `checkpoint.keep` is
   * `null`.
   */
  readonly checkpoints: number;
  /** The total number of checkpoints that the run writes. */
  readonly saves: number;
  readonly total: number;
}

/**
 * The memory in bytes that training or an engine keeps on a GPU while the other runs: CUDA contexts, communicators and
 * graphs.
 */
const BESIDE_BYTES = 4e9;

/**
 * The number of bytes per logit: bf16 logits, their fp32 copy, the softmax kept for the backward pass, and the
 * gradient.
 */
const LOGIT_BYTES = 2 + 4 + 4 + 4;

/** The number of bytes per parameter of a checkpoint: bf16 weights, fp32 weights and two fp32 moments. */
const CHECKPOINT_BYTES = 2 + 4 + 4 + 4;

/** The numbers of tokens in an episode. */
export interface EpisodeTokens {
  /** The number of tokens of an episode, including the prompt. */
  readonly tokens: number;
  /** The number of tokens in the policy text and the tools, which all episodes have in common. */
  readonly promptTokens: number;
}

/** Computes the memory plan of a recipe. */
export function memoryPlan(
  slime: ResolvedSlime,
  expected: EpisodeTokens,
): MemoryPlan {
  const { config } = slime;
  const microBatchTokens = largestMicroBatch(config);
  return {
    gpu: config.cluster.gpuMemoryGb * 1e9,
    microBatchTokens,
    training: trainingMemory(slime, microBatchTokens),
    engine: engineMemory(slime, expected),
    host: hostMemory(slime),
    disk: diskPlan(slime),
  };
}

/** A part of the memory plan that does not fit on a GPU, or that leaves little room. */
export interface MemoryFault extends Fault {
  /** Whether this fault prevents the run from starting. */
  readonly isFatal: boolean;
}

/**
 * Finds the parts of a memory plan that do not fit on a GPU, or that leave too little room for an episode or for the
 * sleeping trainer.
 */
export function memoryFaults(
  { gpu, training, engine }: MemoryPlan,
  { rollout, cluster }: SlimeConfig,
): MemoryFault[] {
  return [
    ...when(
      training.total > gpu,
      `training needs about ${
        gigabytes(training.total)
      } per GPU, but a GPU has ${gigabytes(gpu)}`,
      "raise parallel.tensor or cluster.gpusPerNode, lower parallel.maxTokensPerGpu and rollout.maxContextLen, or set flags.optimizer-cpu-offload",
    ),
    ...when(
      engine.cache <= 0,
      `engine.memory allows an engine ${
        gigabytes(engine.share)
      } per GPU, but its weights take ${gigabytes(engine.weights)}`,
      "raise engine.memory or engine.gpus",
      true,
    ),
    ...when(
      cluster.colocate && engine.share + engine.beside > gpu,
      `engine.memory leaves ${
        gigabytes(gpu - engine.share)
      } per GPU for the sleeping trainer, which keeps about ${
        gigabytes(engine.beside)
      }`,
      "lower engine.memory",
    ),
    ...when(
      engine.cache > 0 && engine.cacheTokens < rollout.maxContextLen,
      `the engine's cache has room for ${engine.cacheTokens} tokens, but an episode may have ${rollout.maxContextLen} (rollout.maxContextLen)`,
      "raise engine.memory",
      true,
    ),
  ];
}

/** Returns warnings that a user should read before the launch, one sentence each. */
export function memoryWarnings(
  plan: MemoryPlan,
  config: SlimeConfig,
): string[] {
  const { parallel, rollout, engine: { concurrency } } = config;
  const { cacheTokens, expectedTokens } = plan.engine;
  const limit = parallel.maxTokensPerGpu * parallel.context;
  return [
    ...memoryFaults(plan, config).map(faultText),
    ...cacheTokens >= rollout.maxContextLen && cacheTokens < expectedTokens
      ? [
        `the engine's cache has room for ${cacheTokens} tokens, but the concurrent episodes (engine.concurrency ${concurrency}) need about ${expectedTokens}: the engine will evict tokens and recompute them; lower engine.concurrency`,
      ]
      : [],
    ...parallel.dynamicBatch && rollout.maxContextLen > limit
      ? [
        `an episode may have ${rollout.maxContextLen} tokens (rollout.maxContextLen), but a micro-batch only ${limit} (parallel.maxTokensPerGpu × parallel.context): a longer episode gets its own micro-batch, so the memory plan assumes micro-batches of ${plan.microBatchTokens} tokens per GPU`,
      ]
      : [],
  ];
}

/**
 * Returns the number of tokens per GPU in the largest micro-batch. slime puts an episode that is longer than a
 * micro-batch into a separate micro-batch.
 */
function largestMicroBatch({ parallel, rollout }: SlimeConfig): number {
  const longest = Math.ceil(rollout.maxContextLen / parallel.context);
  return parallel.dynamicBatch
    ? Math.max(parallel.maxTokensPerGpu, longest)
    : longest * (parallel.microBatchSize ?? 1);
}

/**
 * Computes the memory for training.
 * @see Megatron-LM `docs/user-guide/features/dist_optimizer.md`: 6 + 12/d bytes per parameter, where `d` is the number
 * of ranks that hold the same parameters.
 */
function trainingMemory(
  { config, model, batch }: ResolvedSlime,
  tokens: number,
): TrainingMemory {
  const { parallel, numerics, cluster } = config;
  const shared = gpuParameters(model, parallel);
  const experts = gpuExperts(model, parallel);
  const parameters = shared + experts;
  const replicas = batch.dataParallel * parallel.context;
  // The ranks of a stage that hold the same experts.
  const expertReplicas = Math.max(
    1,
    replicas * parallel.tensor / (parallel.expert * parallel.expertTensor),
  );
  const weights = 2 * parameters;
  const gradients = (numerics.gradientsInFp32 ? 4 : 2) * parameters;
  const optimizer = isOffloaded(config)
    ? 0
    : 12 * (shared / replicas + experts / expertReplicas);
  const activations = activationBytes(model, { tokens, parallel });
  const logits = LOGIT_BYTES * tokens *
    paddedVocab(parallel.tensor, model.vocab) / parallel.tensor;
  const beside = cluster.colocate ? BESIDE_BYTES : BESIDE_BYTES / 2;
  return {
    parameters,
    weights,
    gradients,
    optimizer,
    activations,
    logits,
    beside,
    total: weights + gradients + optimizer + activations + logits + beside,
  };
}

/** Checks whether the optimizer is kept in host memory. */
function isOffloaded({ flags }: SlimeConfig): boolean {
  return flags["optimizer-cpu-offload"] === true;
}

type Parallel = SlimeConfig["parallel"];

/**
 * Returns the number of parameters, without routed experts, on a GPU of the fullest pipeline stage. The stage has its
 * share of the layers, and either the embedding or the output layer. If there is only one stage, it has both, and they
 * are counted once if they are tied.
 */
function gpuParameters(
  shape: ModelShape,
  { tensor, pipeline }: Parallel,
): number {
  const { hidden, tied, layers, vocab } = shape;
  const table = paddedVocab(tensor, vocab) * hidden;
  const tables = pipeline === 1 && !tied ? 2 : 1;
  return Math.ceil(
    (sharedParameters(shape) * layers / pipeline +
      tables * table) / tensor,
  );
}

/**
 * Returns the number of parameters of routed experts per GPU. Routed experts are distributed over separate groups of
 * ranks.
 */
function gpuExperts(
  shape: ModelShape,
  { pipeline, expert, expertTensor }: Parallel,
): number {
  return Math.ceil(
    expertParameters(shape) / (pipeline * expert * expertTensor),
  );
}

/**
 * Estimates the memory of the activations in bytes. With full recomputation, the inputs of all layers and the
 * intermediate activations of one layer at a time are kept. Otherwise, the activations of all layers are kept.
 * @see Korthikanti et al. 2022, section 4. Differences: flash attention stores no scores, and the widths of this model
 * are used.
 */
function activationBytes(
  shape: ModelShape,
  { tokens, parallel }: {
    readonly tokens: number;
    readonly parallel: Parallel;
  },
): number {
  const { tensor, pipeline, sequence, recompute } = parallel;
  const { hidden, heads, kvGroups, headDim, layers } = shape;
  const shared = sequence ? tensor : 1;
  const input = 2 * hidden / shared;
  // Norms and residuals are kept in full, or divided along the sequence. Queries, keys, values, their output, gate, up
  // and product are divided among the ranks.
  const inside = 2 * (6 * hidden / shared +
    (2 * heads + 2 * kvGroups) * headDim / tensor +
    feedForwardWidth(shape, parallel));
  const perGpu = layers / pipeline;
  // The first stage holds as many micro-batches as there are stages.
  const inFlight = pipeline;
  return recompute === "full"
    ? tokens * (perGpu * input * inFlight + 2 * inside)
    : tokens * perGpu * (input + inside) * inFlight;
}

/**
 * Returns the number of values per token in the widest feed-forward part: gate, up, their product and its gradient.
 * With experts, each token is copied to several experts and back. Tokens are assumed to be distributed evenly among the
 * routed experts.
 */
function feedForwardWidth(
  { hidden, ffn, layers, experts }: ModelShape,
  { tensor, sequence, expertTensor }: Parallel,
): number {
  const dense = experts?.layers === layers ? 0 : 4 * ffn / tensor;
  if (experts === undefined) return dense;
  const held = sequence ? tensor : 1;
  const routed = experts.active *
    (2 * hidden + 4 * experts.ffn / expertTensor) / held;
  return Math.max(dense, routed + 4 * experts.shared / tensor);
}

function engineMemory(
  { config: { cluster, engine }, model }: ResolvedSlime,
  { tokens, promptTokens }: EpisodeTokens,
): EngineMemory {
  const share = engine.memory * cluster.gpuMemoryGb * 1e9;
  const weights = 2 * parameterCount(model) / engine.gpus;
  const cache = share - weights;
  const perToken = 2 * cacheNumbers(model, engine.gpus);
  return {
    share,
    weights,
    cache,
    cacheTokens: Math.max(0, Math.floor(cache / perToken)),
    expectedTokens: promptTokens +
      engine.concurrency * Math.max(0, tokens - promptTokens),
    beside: BESIDE_BYTES,
  };
}

/**
 * Returns the host memory in bytes that a run needs per host. Each rank keeps a copy of its weights, and a copy of the
 * reference model's weights if there is one. With colocation, the trainer's state is moved to host memory during
 * sampling.
 */
function hostMemory(slime: ResolvedSlime): number {
  const { config } = slime;
  const { cluster, algorithm } = config;
  const onGpu = { ...config, flags: {} };
  const { weights, optimizer } = trainingMemory({ ...slime, config: onGpu }, 0);
  const copies = weights * (algorithm.klLoss ? 2 : 1);
  const moved = cluster.colocate || isOffloaded(config) ? optimizer : 0;
  const ranks = Math.min(cluster.gpusPerNode, slime.hostGpus);
  return ranks * (copies + moved);
}

/** Computes the disk space that a run's checkpoints need. */
export function diskPlan({ config, model }: ResolvedSlime): DiskPlan {
  const { checkpoint, rollout } = config;
  const parameters = parameterCount(model);
  const huggingFace = checkpoint.huggingFace === null ? 0 : 2 * parameters;
  const saves = checkpointCount(rollout.steps, checkpoint.every);
  // A new checkpoint is written before an old one is removed.
  const kept = checkpoint.keep === null
    ? saves
    : checkpoint.keep + (keepsBest(config) ? 1 : 0) + 1;
  const count = Math.min(saves, kept);
  const size = CHECKPOINT_BYTES * parameters;
  return {
    checkpoint: size,
    huggingFace,
    checkpoints: count,
    saves,
    total: count * (size + huggingFace),
  };
}

/** Checks whether the run keeps the checkpoint with the best evaluation. */
export function keepsBest({ checkpoint, eval: evals }: SlimeConfig): boolean {
  return checkpoint.keepBest && evals.every > 0;
}

/**
 * Returns the number of checkpoints of a run: one after every `every` rollouts, and one after the last rollout if it
 * does not have one already.
 */
export function checkpointCount(steps: number, every: number): number {
  return Math.ceil(steps / every);
}

function when(
  holds: boolean,
  ...[found, fix, isFatal = false]: [string, string, boolean?]
): MemoryFault[] {
  return holds ? [{ found, fix, isFatal }] : [];
}
