/** Selects the demonstrations for a supervised step. */

import { createRng } from "../env/random.ts";
import type { TrainSequence } from "./trainer.ts";

/**
 * Returns the batch of demonstrations for a step, counted from 1. The demonstrations are reshuffled after each complete
 * pass.
 * @throws {RangeError} If there are no demonstrations.
 */
export function pickBatch(
  sequences: readonly TrainSequence[],
  options: { seed: number; step: number; size: number },
): TrainSequence[] {
  const { seed, step, size } = options;
  if (sequences.length === 0) {
    throw new RangeError("Cannot pick a batch: there are no demonstrations");
  }
  const epochs = new Map<number, TrainSequence[]>();
  return Array.from({ length: size }, (_, i) => {
    const at = (step - 1) * size + i;
    const epoch = Math.floor(at / sequences.length);
    const order = epochs.get(epoch) ??
      createRng(seed, "demonstrations", epoch).shuffle(sequences);
    epochs.set(epoch, order);
    return order[at % sequences.length]!;
  });
}
