/** Which demonstrations a supervised step learns from. */

import { createRng } from "../env/random.ts";
import type { TrainSequence } from "./trainer.ts";

/**
 * The batch of a step: demonstrations in a new random order each time they have all been seen.
 * @throws {RangeError} If there is none.
 */
export function pickBatch(
  sequences: readonly TrainSequence[],
  options: { seed: number; step: number; size: number },
): TrainSequence[] {
  const { seed, step, size } = options;
  if (sequences.length === 0) {
    throw new RangeError("Cannot pick a batch: there is no demonstration");
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
