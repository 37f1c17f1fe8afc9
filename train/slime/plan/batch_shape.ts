/**
 * Checks whether the sizes of a slime training step, such as the numbers of GPUs, prompts, samples and optimizer steps,
 * are consistent with each other. slime asserts some of the rules only after the models are loaded, and silently drops
 * the remainder of a batch. This module checks all rules before anything is started.
 * @see slime `slime/utils/arguments.py` and `slime/ray/rollout.py` at 624b824.
 */

import { type Fault, unless } from "../fault.ts";
import type { ModelShape } from "../model_shapes.ts";

/** The sizes of a step. Most keys are named after slime's flags. */
export interface BatchShape {
  readonly actorNumNodes: number;
  readonly actorNumGpusPerNode: number;
  /** The number of GPUs for the engines. It is ignored if the engines share GPUs with training. */
  readonly rolloutNumGpus: number;
  readonly rolloutNumGpusPerEngine: number;
  /** Whether training and the engines take turns on the same GPUs. */
  readonly colocate: boolean;
  readonly tensorParallel: number;
  readonly pipelineParallel: number;
  readonly contextParallel: number;
  /** The number of prompts per rollout. */
  readonly rolloutBatchSize: number;
  readonly samplesPerPrompt: number;
  /** The number of samples per optimizer step. */
  readonly globalBatchSize: number;
  readonly overSamplingBatchSize: number;
  /** The number of samples per rank and micro-batch, unless micro-batches are dynamic. */
  readonly microBatchSize: number;
}

/** Values derived from a {@linkcode BatchShape}. */
export interface BatchPlan {
  /** The number of GPUs that must be free in Ray. */
  readonly gpus: number;
  readonly engines: number;
  readonly dataParallel: number;
  /** The number of samples per rollout. */
  readonly samples: number;
  readonly optimizerSteps: number;
}

/** Derives the values of a step. They are valid only if {@linkcode batchFaults} finds no fault. */
export function batchPlan(shape: BatchShape): BatchPlan {
  const training = shape.actorNumNodes * shape.actorNumGpusPerNode;
  const rollout = shape.colocate ? training : shape.rolloutNumGpus;
  const samples = shape.rolloutBatchSize * shape.samplesPerPrompt;
  return {
    gpus: shape.colocate ? training : training + rollout,
    engines: Math.floor(rollout / shape.rolloutNumGpusPerEngine),
    dataParallel: training / modelParallel(shape),
    samples,
    optimizerSteps: Math.floor(samples / shape.globalBatchSize),
  };
}

/** The sizes of a model that restrict the sizes of a step. */
export type BatchModel = Pick<ModelShape, "heads" | "kvGroups" | "layers">;

/**
 * Finds sizes that are not consistent with each other or with the model. See {@linkcode rowFaults} for faults that
 * depend on the dataset.
 * @returns The faults, with the names of the flags and their values; empty if there are none.
 */
export function batchFaults(shape: BatchShape, model: BatchModel): Fault[] {
  return [
    ...placementFaults(shape),
    ...parallelFaults(shape, model),
    ...samplingFaults(shape),
  ];
}

function placementFaults(shape: BatchShape): Fault[] {
  const training = shape.actorNumNodes * shape.actorNumGpusPerNode;
  const rollout = shape.colocate ? training : shape.rolloutNumGpus;
  const perEngine = shape.rolloutNumGpusPerEngine;
  return [
    ...unless(
      rollout >= perEngine && rollout % perEngine === 0,
      `the number of rollout GPUs (${rollout}) is not a multiple of engine.gpus (${perEngine})`,
      shape.colocate
        ? "change cluster.gpusPerNode, cluster.nodes or engine.gpus"
        : "make cluster.rolloutGpus a multiple of engine.gpus",
    ),
    ...unless(
      training % modelParallel(shape) === 0,
      `the number of training GPUs (${training}) is not divisible by parallel.tensor × parallel.pipeline × ` +
        `parallel.context (${shape.tensorParallel} × ${shape.pipelineParallel} × ${shape.contextParallel})`,
      "change cluster.gpusPerNode, or parallel.tensor, parallel.pipeline or parallel.context",
    ),
  ];
}

function parallelFaults(
  { tensorParallel, pipelineParallel }: BatchShape,
  { heads, kvGroups, layers }: BatchModel,
): Fault[] {
  return [
    ...unless(
      heads % tensorParallel === 0 && kvGroups % tensorParallel === 0,
      `parallel.tensor ${tensorParallel} does not divide the model's numbers of heads (${heads}) and of ` +
        `key-value groups (${kvGroups})`,
      `set parallel.tensor to a divisor of ${kvGroups}`,
    ),
    ...unless(
      layers % pipelineParallel === 0,
      `parallel.pipeline ${pipelineParallel} does not divide the model's number of layers (${layers})`,
      `set parallel.pipeline to a divisor of ${layers}`,
    ),
  ];
}

function samplingFaults(shape: BatchShape): Fault[] {
  const { rolloutBatchSize, samplesPerPrompt, globalBatchSize } = shape;
  const { samples, dataParallel } = batchPlan(shape);
  const product =
    `rollout.batchSize ${rolloutBatchSize} × rollout.groupSize ${samplesPerPrompt}`;
  const share = shape.microBatchSize * dataParallel;
  return [
    ...unless(
      samplesPerPrompt > 1,
      "rollout.groupSize must be at least 2, but it is 1: in a group of one sample, rewards cannot differ, so all " +
        "advantages are 0",
      "set rollout.groupSize to 2 or more",
    ),
    ...unless(
      samples >= globalBatchSize && samples % globalBatchSize === 0,
      `${product} = ${samples} samples are not a multiple of rollout.globalBatchSize ${globalBatchSize}, and slime ` +
        "would silently drop the remainder",
      `set rollout.globalBatchSize to a divisor of ${samples}`,
    ),
    ...unless(
      !Number.isInteger(dataParallel) || globalBatchSize % share === 0,
      `rollout.globalBatchSize ${globalBatchSize} is not divisible by parallel.microBatchSize × data parallel ` +
        `(${shape.microBatchSize} × ${dataParallel})`,
      `make rollout.globalBatchSize a multiple of ${share}`,
    ),
    ...unless(
      shape.overSamplingBatchSize >= rolloutBatchSize,
      `rollout.overSamplingBatchSize ${shape.overSamplingBatchSize} is less than rollout.batchSize ${rolloutBatchSize}`,
      `raise rollout.overSamplingBatchSize to at least ${rolloutBatchSize}`,
    ),
  ];
}

/** Finds sizes that are not possible with the number of rows in the training set. */
export function rowFaults(
  { overSamplingBatchSize }: BatchShape,
  rows: number,
): Fault[] {
  return unless(
    overSamplingBatchSize <= rows,
    `rollout.overSamplingBatchSize ${overSamplingBatchSize} exceeds the number of rows in the dataset (${rows}), but ` +
      "slime starts over at the first row at most once per batch",
    "lower rollout.overSamplingBatchSize and rollout.batchSize, or train on more tasks",
  );
}

function modelParallel(shape: BatchShape): number {
  return shape.tensorParallel * shape.pipelineParallel * shape.contextParallel;
}
