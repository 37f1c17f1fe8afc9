/**
 * How long a slime run trains: the operations of its passes over the rate of its GPUs, and what moving weights takes,
 * beside the sampling that forecast.ts reckons. Pure.
 *
 * @see slime `slime/utils/flops_utils.py` and `slime/observability/train_metric_utils.py` at 624b824: a forward pass
 * is counted as here, and `perf/actor_train_tflops` counts three of them whatever is recomputed.
 */

import {
  activeParameterCount,
  type ModelShape,
  parameterCount,
} from "../model_shapes.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import { isAsync } from "./async_mode.ts";
import type { Forecast } from "./forecast.ts";

/** How fast training and the transfer of weights go. */
export interface TrainingRates {
  /** The slime run that it was measured on; `null` where it is assumed. */
  readonly measuredOn: string | null;
  /** Rollouts that it was measured on. */
  readonly rollouts: number;
  /** Share of `cluster.gpuTflops` that training reaches, with what it computes again. */
  readonly utilisation: number;
  /** Of a rollout's weights, from the trainer into the engines, all waiting about it included. */
  readonly transferBytesPerS: number;
}

/** Where nobody has measured: what long sequences reach with full recomputation, and a guess of the transfer. */
export const ASSUMED_TRAINING: TrainingRates = {
  measuredOn: null,
  rollouts: 0,
  utilisation: 0.4,
  transferBytesPerS: 2e9,
};

/** Seconds of the parts of a rollout; with asynchronous training, sampling and training go on at once. */
export interface RolloutTime {
  readonly sampling: number;
  readonly training: number;
  readonly transfer: number;
  readonly total: number;
}

/** The forecast of a run's time. */
export interface TimeForecast {
  readonly rates: TrainingRates;
  /** Floating-point operations of training on a rollout, all GPUs together. */
  readonly operations: number;
  readonly rollout: RolloutTime;
  /** Seconds of the run: rollouts and evaluations, without start, checkpoints and what the filter drops. */
  readonly run: number;
}

/** The forecast. `rates`: measured, or {@linkcode ASSUMED_TRAINING}. */
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

/** Bytes of the weights in bf16, which go from the trainer into the engines. */
export function weightBytes(model: ModelShape): number {
  return 2 * parameterCount(model);
}

/** Operations of a forward pass over an episode: two a parameter that a token passes, and those of causal attention. */
export function episodeOperations(model: ModelShape, tokens: number): number {
  const { layers, heads, headDim, hidden, vocab, tied } = model;
  // Looking an embedding up multiplies nothing; a tied one is the output layer too.
  const multiplied = activeParameterCount(model) - (tied ? 0 : vocab * hidden);
  const attending = layers / (model.attention?.every ?? 1);
  const attention = 2 * attending * heads * headDim * tokens;
  return tokens * (2 * multiplied + attention);
}

/** Forward passes that training on a token costs: a backward pass is two. */
export function passes(
  { config: { algorithm, parallel }, batch }: ResolvedSlime,
): number {
  // With one step of the optimizer, slime takes the old log probabilities out of the training pass itself.
  const isReused = batch.optimizerSteps === 1 &&
    !["gspo", "ppo"].includes(algorithm.advantage);
  return trainingPasses(parallel) +
    (algorithm.engineLogprobs || isReused ? 0 : 1) +
    (algorithm.klLoss ? 1 : 0);
}

/** Those of the training pass itself: forward, backward, and what is computed again. */
export function trainingPasses(
  { recompute }: Pick<ResolvedSlime["config"]["parallel"], "recompute">,
): number {
  return recompute === "full" ? 4 : 3;
}
