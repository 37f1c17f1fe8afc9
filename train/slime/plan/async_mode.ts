/**
 * Whether sampling and training take turns, and what follows for slime's scripts.
 *
 * @see slime `train_async.py` and `examples/fully_async/README.md` at 624b824.
 */

import type { SlimeConfig } from "../slime_schema.ts";

/** Whether the next rollout is sampled while the policy trains. */
export function isAsync(
  { algorithm }: Pick<SlimeConfig, "algorithm">,
): boolean {
  return algorithm.async !== "off";
}

/** slime's script that trains. */
export function trainScript(config: Pick<SlimeConfig, "algorithm">): string {
  return isAsync(config) ? "train_async.py" : "train.py";
}

/** Evaluations of a run: after each `every`th rollout, and before the first, but for `train_async.py`. */
export function evaluationCount(
  { algorithm, eval: { every }, rollout: { steps } }: Pick<
    SlimeConfig,
    "algorithm" | "eval" | "rollout"
  >,
): number {
  if (every === 0) return 0;
  return Math.floor(steps / every) + (isAsync({ algorithm }) ? 0 : 1);
}
