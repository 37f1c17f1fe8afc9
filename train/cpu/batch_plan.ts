/** Distributes a batch's sequences over threads, and combines short sequences into shared blocks. */

import type { TrainSequence } from "../trainer.ts";
import type { ModelConfig } from "./model_config.ts";
import { parameterCount } from "./layout.ts";

/** The rows of a sequence that go through the network. */
export interface PlannedSequence {
  /** The index in the batch. */
  readonly index: number;
  /**
   * The number of tokens that go through the network: all tokens up to the last one whose next token is learned. Later
   * tokens have no effect on the loss.
   */
  readonly rows: number;
  /** The positions whose next token is learned, in ascending order. */
  readonly lossRows: readonly number[];
}

/** Sequences that go through the network as one block of rows. */
export interface PlannedBatch {
  readonly sequences: readonly PlannedSequence[];
  readonly rows: number;
}

/**
 * The maximum number of rows in a block that several short sequences share. A block of this size still fits in the CPU
 * caches.
 */
export const BLOCK_ROWS = 384;

/**
 * Assigns sequences to threads, the most expensive first, each to the least loaded thread, and combines each thread's
 * sequences into blocks. Sequences with nothing to learn are dropped. The plan depends only on the arguments.
 * @returns The blocks of each thread, `[threads][…]`.
 */
export function planBatches(
  sequences: readonly TrainSequence[],
  options: { config: ModelConfig; threads: number },
): readonly (readonly PlannedBatch[])[] {
  const planned = sequences.map(planSequence).filter((s) => s.rows > 0);
  const cost = costModel(options.config);
  const dealt: PlannedSequence[][] = Array.from(
    { length: options.threads },
    () => [],
  );
  const load = dealt.map(() => 0);
  const byCost = planned.map((s) => ({ s, cost: cost(s) }))
    .sort((a, b) => b.cost - a.cost || a.s.index - b.s.index);
  for (const { s, cost } of byCost) {
    const thread = load.indexOf(Math.min(...load));
    dealt[thread]!.push(s);
    load[thread]! += cost;
  }
  return dealt.map((list) => blocks(list.sort((a, b) => a.index - b.index)));
}

function planSequence(
  sequence: TrainSequence,
  index: number,
): PlannedSequence {
  const lossRows: number[] = [];
  for (let t = 1; t < sequence.ids.length; t++) {
    if (sequence.lossMask[t] === 1) lossRows.push(t - 1);
  }
  return { index, rows: (lossRows.at(-1) ?? -1) + 1, lossRows };
}

/** Returns a function that estimates the cost of a sequence's forward and backward passes, up to a constant factor. */
function costModel(config: ModelConfig): (s: PlannedSequence) => number {
  const head = config.vocab * config.dim;
  const row = parameterCount(config) - head;
  // The backward pass of attention costs 2.5 times its forward pass, and that of a matrix product twice.
  const pair = config.layers * config.dim * 2 * 7 / 6;
  return ({ rows, lossRows }) =>
    rows * row + rows * rows / 2 * pair + lossRows.length * head;
}

function blocks(sequences: readonly PlannedSequence[]): PlannedBatch[] {
  const out: PlannedBatch[] = [];
  let open: PlannedSequence[] = [];
  let rows = 0;
  function close() {
    if (open.length > 0) out.push({ sequences: open, rows });
    open = [];
    rows = 0;
  }
  for (const s of sequences) {
    if (rows + s.rows > BLOCK_ROWS) close();
    open.push(s);
    rows += s.rows;
  }
  close();
  return out;
}
