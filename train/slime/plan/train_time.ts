/**
 * Forecasts how long a slime run takes. The training time follows from the number of operations and the speed of the
 * GPUs. The time to transfer the weights and the sampling time from forecast.ts are added.
 * @see slime `slime/utils/flops_utils.py` and `slime/observability/train_metric_utils.py` at 624b824: slime counts a
 * forward pass the same way, and `perf/actor_train_tflops` counts three passes regardless of recomputation.
 */

import {
  activeParameterCount,
  type ModelShape,
  parameterCount,
} from "../model_shapes.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import { isAsync } from "./async_mode.ts";
import type { Forecast } from "./forecast.ts";

/** The rates of training and weight transfer. */
export interface TrainingRates {
  /** The path of the measured slime run; `null` if the rates are assumed. */
  readonly measuredOn: string | null;
  /** The number of measured rollouts. */
  readonly rollouts: number;
  /** The share of `cluster.gpuTflops` that training reaches, including recomputation. */
  readonly utilisation: number;
  /**
   * The rate in bytes per second at which a rollout's weights are transferred from the trainer to the engines,
   * including the time to move the trainer off the GPUs and back.
   */
  readonly transferBytesPerS: number;
}

/**
 * The assumed rates. The share of the GPUs' speed is typical of long sequences with full recomputation. The transfer
 * rate is a guess.
 */
export const ASSUMED_TRAINING: TrainingRates = {
  measuredOn: null,
  rollouts: 0,
  utilisation: 0.4,
  transferBytesPerS: 2e9,
};

/** The durations of the parts of a rollout, in seconds. With asynchronous training, sampling and training overlap. */
export interface RolloutTime {
  readonly sampling: number;
  readonly training: number;
  readonly transfer: number;
  readonly total: number;
}

/** The forecast of a run's time. */
export interface TimeForecast {
  readonly rates: TrainingRates;
  /** The number of floating-point operations to train on a rollout, across all GPUs. */
  readonly operations: number;
  readonly rollout: RolloutTime;
  /** The duration of the run in seconds: rollouts and evaluations, without startup, checkpoints and dropped groups. */
  readonly run: number;
}

/**
 * Forecasts the time of a run.
 * @param rates Measured rates, or {@linkcode ASSUMED_TRAINING}.
 */
export function timeForecast(
  slime: ResolvedSlime,
  { expected, rates }: {
    readonly expected: Forecast;
    readonly rates: TrainingRates;
  },
): TimeForecast {
  const { config, model, batch } = slime;
  const { rollout, evaluation, evaluations } = expected;
  const operations = rollout.episodes *
    episodeOperations(model, expected.rates.tokens) * passes(slime);
  const gpus = batch.actorNumNodes * batch.actorNumGpusPerNode;
  const speed = gpus * config.cluster.gpuTflops * 1e12 * rates.utilisation;
  const training = operations / speed;
  const transfer = weightBytes(model) / rates.transferBytesPerS;
  const sampling = rollout.seconds;
  const total = transfer +
    (isAsync(config) ? Math.max(sampling, training) : sampling + training);
  return {
    rates,
    operations,
    rollout: { sampling, training, transfer, total },
    run: total * config.rollout.steps +
      (evaluation === null ? 0 : evaluation.seconds * evaluations),
  };
}

/** Returns the size in bytes of the bf16 weights that the trainer sends to the engines. */
export function weightBytes(model: ModelShape): number {
  return 2 * parameterCount(model);
}

/**
 * Returns the number of operations of a forward pass over an episode: two per parameter that each token passes through,
 * plus the operations of causal attention.
 */
export function episodeOperations(model: ModelShape, tokens: number): number {
  const { layers, heads, headDim, hidden, vocab, tied } = model;
  // An embedding lookup needs no multiplication, but a tied embedding is also the output layer.
  const multiplied = activeParameterCount(model) - (tied ? 0 : vocab * hidden);
  const attending = layers / (model.attention?.every ?? 1);
  const attention = 2 * attending * heads * headDim * tokens;
  return tokens * (2 * multiplied + attention);
}

/** Returns the cost of training on a token as a number of forward passes. A backward pass counts as two. */
export function passes(
  { config: { algorithm, parallel }, batch }: ResolvedSlime,
): number {
  // With one optimizer step, slime takes the old log probabilities from the training pass itself.
  const isReused = batch.optimizerSteps === 1 &&
    !["gspo", "ppo"].includes(algorithm.advantage);
  return trainingPasses(parallel) +
    (algorithm.engineLogprobs || isReused ? 0 : 1) +
    (algorithm.klLoss ? 1 : 0);
}

/**
 * Returns the cost of the training step itself as a number of forward passes: forward, backward (two) and
 * recomputation.
 */
export function trainingPasses(
  { recompute }: Pick<ResolvedSlime["config"]["parallel"], "recompute">,
): number {
  return recompute === "full" ? 4 : 3;
}
