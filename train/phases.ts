/** Computes the last step of each phase, and the steps after which the policy is evaluated on the dev split. */

import type { Config } from "./config/config.ts";

/** The last step of each phase. A phase without steps ends where the previous phase ends. */
export interface PhaseEnds {
  readonly coldStart: number;
  readonly rft: number;
  readonly rl: number;
}

/** Returns the last step of each phase of a config. */
export function phaseEnds(
  { coldStart, rft, rl }: Pick<Config, "coldStart" | "rft" | "rl">,
): PhaseEnds {
  const afterRft = coldStart.steps + rft.steps;
  return {
    coldStart: coldStart.steps,
    rft: afterRft,
    rl: afterRft + rl.steps,
  };
}

/**
 * Returns the steps after which the policy is evaluated on the dev split, in order: the ends of phases, and every
 * `eval.every` steps after the cold start.
 */
export function devSteps(
  config: Pick<Config, "coldStart" | "rft" | "rl" | "eval">,
): number[] {
  const { coldStart, rft, rl } = phaseEnds(config);
  const { every } = config.eval;
  return Array.from({ length: rl - coldStart + 1 }, (_, i) => coldStart + i)
    .filter((step) =>
      [coldStart, rft, rl].includes(step) ||
      (every > 0 && (step - coldStart) % every === 0)
    );
}
