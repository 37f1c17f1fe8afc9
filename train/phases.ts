/** In which steps the phases of a run end, and the policy is evaluated on dev. */

import type { Config } from "./config/config.ts";

/** The last step of each phase; that of a phase without steps is the one before it. */
export interface PhaseEnds {
  readonly coldStart: number;
  readonly rft: number;
  readonly rl: number;
}

/** Where the phases of a config end. */
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

/** The steps after which dev is evaluated, in order: the ends of phases, and every `eval.every` from the cold start on. */
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
