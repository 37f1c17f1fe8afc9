/** Runs the forward and backward passes of a batch on all threads. */

import type { RatioName } from "../ratio.ts";
import { advantageAt, type TrainSequence } from "../trainer.ts";
import {
  BATCH,
  LOSS_ROW,
  SEGMENT,
  sizeOf,
  TRAIN_JOB,
  TRAIN_MODE,
  writeStruct,
} from "./abi.ts";
import type { PlannedBatch, PlannedSequence } from "./batch_plan.ts";
import type { Engine } from "./engine.ts";

/** The settings of the loss to differentiate. */
export interface LossSettings {
  readonly mode: "supervised" | "reinforce";
  readonly ratio: RatioName;
  readonly clipLow: number;
  readonly clipHigh: number;
  readonly klCoef: number;
  readonly entropyCoef: number;
}

/** The result for one learned token. */
export interface LossResult {
  /** The index of the learned token's sequence in the batch. */
  readonly index: number;
  /** The position of the learned token in its sequence. */
  readonly position: number;
  readonly logprob: number;
  readonly referenceLogprob: number;
  readonly entropy: number;
  readonly clipped: boolean;
}

/** Shared memory for the structs of a job, reused from step to step. */
export class JobMemory {
  readonly #engine: Engine;
  #at = 0;
  #bytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Returns the address of a region of at least `bytes` bytes. The region returned by the previous call becomes
   * invalid.
   */
  open(bytes: number): number {
    if (bytes > this.#bytes) {
      if (this.#at !== 0) this.#engine.heap.free(this.#at);
      this.#bytes = bytes + (bytes >> 1);
      this.#at = this.#engine.heap.allocate(this.#bytes);
    }
    return this.#at;
  }
}

/** Options for {@linkcode accumulateGradient}. */
export interface GradientOptions {
  readonly sequences: readonly TrainSequence[];
  readonly plan: readonly (readonly PlannedBatch[])[];
  readonly loss: LossSettings;
  /** The addresses of the gradients to add to, one per thread. */
  readonly gradients: readonly number[];
  /** The address of the reference's struct for training. It is used only if `klCoef` is not 0. */
  readonly reference?: number;
  readonly memory: JobMemory;
}

/**
 * Adds the gradient of the mean loss over all learned tokens to the gradients of the threads.
 * @returns The results of the learned tokens, in the order of the batch.
 */
export async function accumulateGradient(
  engine: Engine,
  options: GradientOptions,
): Promise<LossResult[]> {
  const { plan, loss, reference } = options;
  const jobs = writeJobs(engine, options);
  const working = plan.map((_, i) => i).filter((i) => plan[i]!.length > 0);
  const args = working.map((i) => [jobs.addresses[i]!]);
  if (loss.klCoef !== 0 && reference !== undefined) {
    setMode(engine, jobs.addresses, TRAIN_MODE.score, reference);
    await engine.crew.run("train", args);
    setMode(
      engine,
      jobs.addresses,
      TRAIN_MODE[loss.mode],
      engine.policy.training,
    );
  }
  await engine.crew.run("train", args);
  return readResults(engine, jobs.losses);
}

interface WrittenLoss {
  readonly sequence: PlannedSequence;
  /** The address of the sequence's first loss row. */
  readonly at: number;
}

function writeJobs(
  engine: Engine,
  options: GradientOptions,
): { addresses: number[]; losses: WrittenLoss[] } {
  const { plan } = options;
  const scratch = engine.scratch(
    plan.map((list) => scratchBytes(engine, list)),
  );
  const bytes = plan.reduce((sum, list) => sum + jobBytes(list), 0);
  let cursor = options.memory.open(bytes);
  function take(need: number): number {
    const at = cursor;
    cursor += need;
    return at;
  }
  const total = plan.flat().flatMap((b) => b.sequences)
    .reduce((sum, s) => sum + s.lossRows.length, 0);
  const losses: WrittenLoss[] = [];
  const addresses = plan.map((list, thread) => {
    const at = take(sizeOf(TRAIN_JOB));
    const batchTable = take(sizeOf(BATCH) * list.length);
    const { mode, ratio, ...weights } = options.loss;
    writeStruct(engine.heap, at, TRAIN_JOB, {
      model: engine.policy.training,
      scratch: scratch[thread]!.at,
      scratchEnd: scratch[thread]!.end,
      gradient: options.gradients[thread]!,
      batches: list.length,
      batchTable,
      mode: TRAIN_MODE[mode],
      scale: 1 / total,
      ...weights,
      sequenceRatio: ratio === "sequence" ? 1 : 0,
    });
    list.forEach((batch, i) => {
      const place = batchTable + i * sizeOf(BATCH);
      losses.push(...writeBatch(engine, options.sequences, batch, place, take));
    });
    return at;
  });
  return { addresses, losses };
}

function writeBatch(
  engine: Engine,
  sequences: readonly TrainSequence[],
  batch: PlannedBatch,
  place: number,
  take: (bytes: number) => number,
): WrittenLoss[] {
  const { heap } = engine;
  const lossCount = batch.sequences.reduce((n, s) => n + s.lossRows.length, 0);
  const segmentTable = take(sizeOf(SEGMENT) * batch.sequences.length);
  const ids = take(4 * batch.rows);
  const lossTable = take(sizeOf(LOSS_ROW) * lossCount);
  writeStruct(heap, place, BATCH, {
    rows: batch.rows,
    segments: batch.sequences.length,
    segmentTable,
    ids,
    lossTable,
  });
  let row = 0;
  let lossStart = 0;
  return batch.sequences.map((planned, s) => {
    const sequence = sequences[planned.index]!;
    writeStruct(heap, segmentTable + s * sizeOf(SEGMENT), SEGMENT, {
      row,
      count: planned.rows,
      position: 0,
      table: 0,
      state: 0,
      lossStart,
      lossCount: planned.lossRows.length,
    });
    for (let t = 0; t < planned.rows; t++) {
      heap.ints[ids / 4 + row + t] = sequence.ids[t]!;
    }
    const at = lossTable + lossStart * sizeOf(LOSS_ROW);
    planned.lossRows.forEach((t, i) => {
      writeStruct(heap, at + i * sizeOf(LOSS_ROW), LOSS_ROW, {
        row: row + t,
        target: sequence.ids[t + 1]!,
        oldLogprob: sequence.logprobs[t + 1]!,
        advantage: advantageAt(sequence, t + 1),
        referenceLogprob: 0,
        logprob: 0,
        entropy: 0,
        clipped: 0,
      });
    });
    row += planned.rows;
    lossStart += planned.lossRows.length;
    return { sequence: planned, at };
  });
}

function jobBytes(list: readonly PlannedBatch[]): number {
  let bytes = sizeOf(TRAIN_JOB) + sizeOf(BATCH) * list.length;
  for (const batch of list) {
    bytes += 4 * batch.rows + sizeOf(SEGMENT) * batch.sequences.length;
    for (const s of batch.sequences) {
      bytes += sizeOf(LOSS_ROW) * s.lossRows.length;
    }
  }
  return bytes;
}

function scratchBytes(engine: Engine, list: readonly PlannedBatch[]): number {
  return list.reduce((most, batch) => {
    const longest = Math.max(...batch.sequences.map((s) => s.rows));
    const bytes = engine.kernels.trainingBytes(
      engine.policy.training,
      batch.rows,
      batch.sequences.length,
      longest,
    );
    return Math.max(most, bytes >>> 0);
  }, 0);
}

function setMode(
  engine: Engine,
  addresses: readonly number[],
  mode: number,
  model: number,
): void {
  const names = Object.keys(TRAIN_JOB);
  for (const at of addresses) {
    engine.heap.ints[at / 4 + names.indexOf("mode")] = mode;
    engine.heap.ints[at / 4 + names.indexOf("model")] = model;
  }
}

function readResults(
  engine: Engine,
  losses: readonly WrittenLoss[],
): LossResult[] {
  const { ints, floats } = engine.heap;
  const names = Object.keys(LOSS_ROW);
  const [logprob, reference, entropy, clipped] = [
    "logprob",
    "referenceLogprob",
    "entropy",
    "clipped",
  ].map((name) => names.indexOf(name));
  return losses.toSorted((a, b) => a.sequence.index - b.sequence.index)
    .flatMap(({ sequence, at }) =>
      sequence.lossRows.map((t, i) => {
        const base = at / 4 + i * names.length;
        return {
          index: sequence.index,
          position: t + 1,
          logprob: floats[base + logprob!]!,
          referenceLogprob: floats[base + reference!]!,
          entropy: floats[base + entropy!]!,
          clipped: ints[base + clipped!] === 1,
        };
      })
    );
}
