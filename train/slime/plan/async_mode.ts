/**
 * Determines whether a run trains asynchronously, which of slime's scripts it uses, and how often it evaluates.
 * @see slime `train_async.py` and `examples/fully_async/README.md` at 624b824.
 */

import type { SlimeConfig } from "../slime_schema.ts";

/** Checks whether the next rollout is sampled while the policy trains on the current one. */
export function isAsync(
  { algorithm }: Pick<SlimeConfig, "algorithm">,
): boolean {
  return algorithm.async !== "off";
}

/** Returns the name of slime's training script. */
export function trainScript(config: Pick<SlimeConfig, "algorithm">): string {
  return isAsync(config) ? "train_async.py" : "train.py";
}

/**
 * Returns the number of evaluations of a run: one after every `eval.every` rollouts, and one before the first rollout
 * unless the script is `train_async.py`. Returns 0 if `eval.every` is 0.
 */
export function evaluationCount(
  { algorithm, eval: { every }, rollout: { steps } }: Pick<
    SlimeConfig,
    "algorithm" | "eval" | "rollout"
  >,
): number {
  if (every === 0) return 0;
  return Math.floor(steps / every) + (isAsync({ algorithm }) ? 0 : 1);
}
