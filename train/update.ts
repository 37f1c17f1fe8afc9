/**
 * A GRPO step's update of the policy.
 *
 * @module
 */

import type { Rng } from "../env/random.ts";
import { mean } from "./episode_stats.ts";
import type { Group } from "./group.ts";
import type {
  PolicyLoss,
  StepOptions,
  Trainer,
  UpdateStats,
} from "./trainer.ts";

/** Settings of {@linkcode updateOnGroups}. */
export interface UpdateOptions {
  readonly loss: StepOptions & PolicyLoss;
  /** Parts that the sequences are split into, one update each; the ratio is clipped from the second on. */
  readonly minibatches: number;
  /** Deals the sequences to the parts. */
  readonly rng: Rng;
}

/**
 * One pass over the episodes of groups that disagree within.
 * @returns Means over minibatches, sums of tokens; zeros where there was nothing to learn from.
 */
export async function updateOnGroups(
  trainer: Trainer,
  groups: readonly Group[],
  { loss, minibatches, rng }: UpdateOptions,
): Promise<UpdateStats> {
  const sequences = rng.shuffle(groups.flatMap(sequencesOf));
  const size = Math.ceil(sequences.length / minibatches);
  const done: UpdateStats[] = [];
  for (let at = 0; at < sequences.length; at += size) {
    done.push(await trainer.reinforce(sequences.slice(at, at + size), loss));
  }
  return meanStats(done);
}

function sequencesOf(group: Group) {
  return group.episodes.flatMap(({ trajectory }, i) =>
    trajectory === null
      ? []
      : [{ ...trajectory, advantage: group.advantages[i]! }]
  );
}

function meanStats(all: readonly UpdateStats[]): UpdateStats {
  const of = (key: keyof UpdateStats) => mean(all.map((one) => one[key]));
  const sum = (key: keyof UpdateStats) => of(key) * all.length;
  return {
    loss: of("loss"),
    gradNorm: of("gradNorm"),
    entropy: of("entropy"),
    klOld: of("klOld"),
    klReference: of("klReference"),
    clipShare: of("clipShare"),
    lossTokens: sum("lossTokens"),
    tokens: sum("tokens"),
  };
}
