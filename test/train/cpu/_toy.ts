/** Provides the config of a model that is so small that its tests are instant, and random sequences for it. */
import { createRng, type Rng } from "../../../env/random.ts";
import type { TrainSequence } from "../../../train/trainer.ts";
import {
  type ModelConfig,
  ModelConfigSchema,
} from "../../../train/cpu/model_config.ts";

export const TOY: ModelConfig = ModelConfigSchema.parse({
  vocab: 64,
  dim: 32,
  layers: 2,
  heads: 2,
  hidden: 48,
  pointerDim: 16,
  contextLength: 512,
});

/**
 * Returns a sequence of random ids, about a third of which have mask 1. The default vocabulary is so small that ids
 * repeat, so the model's pointer can copy them.
 */
export function randomSequence(
  rng: Rng,
  options: { length: number; vocab?: number; advantage?: number },
): TrainSequence {
  const { length, vocab = 24, advantage = 1 } = options;
  const ids = Array.from({ length }, () => rng.int(vocab));
  const lossMask = ids.map((_, t) => (t > 0 && rng.next() < 0.35 ? 1 : 0));
  return { ids, lossMask, logprobs: ids.map(() => 0), advantage };
}

/** Returns random sequences of the given lengths, whose advantages are alternately positive and negative. */
export function randomBatch(
  seed: number,
  lengths: readonly number[],
): TrainSequence[] {
  const rng = createRng(seed, "batch");
  return lengths.map((length, i) =>
    randomSequence(rng, { length, advantage: i % 2 === 0 ? 1.5 : -0.7 })
  );
}
