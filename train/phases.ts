/** In which steps the phases of a run end. */

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
