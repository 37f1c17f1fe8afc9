/** The policy update of an RL step. */

import type { Rng } from "../env/random.ts";
import { mean, sum } from "./runs/episode_stats.ts";
import type { Group } from "./group.ts";
import type {
  PolicyLoss,
  StepOptions,
  Trainer,
  TrainSequence,
  UpdateStats,
} from "./trainer.ts";

/** Options for {@linkcode updateOnGroups}. */
export interface UpdateOptions {
  readonly loss: StepOptions & PolicyLoss;
  /**
   * The maximum number of parts into which the sequences are split. Each part is one update. Clipping takes effect from
   * the second part on.
   */
  readonly minibatches: number;
  /** How the loss is averaged: over all tokens, or first over the tokens of each episode and then over the episodes. */
  readonly lossMean: "token" | "episode";
  /** The factor applied to negative advantages. */
  readonly negativeWeight: number;
  /** Random numbers for distributing the sequences among the parts. */
  readonly rng: Rng;
}

/**
 * Updates the policy with one pass over the episodes of the groups.
 * @param groups The groups to learn from, each with rewards that differ.
 * @returns The means over the minibatches and the sums of the token counts; zeros if there was nothing to learn from.
 */
export async function updateOnGroups(
  trainer: Trainer,
  groups: readonly Group[],
  options: UpdateOptions,
): Promise<UpdateStats> {
  const { loss, minibatches, rng } = options;
  const sequences = weighted(rng.shuffle(groups.flatMap(sequencesOf)), options);
  const size = Math.ceil(sequences.length / minibatches);
  const done: UpdateStats[] = [];
  for (let at = 0; at < sequences.length; at += size) {
    done.push(await trainer.reinforce(sequences.slice(at, at + size), loss));
  }
  return meanStats(done);
}

/**
 * Scales advantages so that the trainer's mean over tokens becomes the requested mean. For the mean over episodes, an
 * advantage is divided by the number of sampled tokens in its episode and multiplied by the mean number of sampled
 * tokens per episode. A long, failed conversation then has no more weight than a short one.
 */
function weighted(
  sequences: readonly TrainSequence[],
  { lossMean, negativeWeight }: UpdateOptions,
): TrainSequence[] {
  const sampled = sequences.map(({ lossMask }) => sum(Array.from(lossMask)));
  const typical = mean(sampled);
  return sequences.map((sequence, i) => {
    const length = lossMean === "episode" ? typical / sampled[i]! : 1;
    const weigh = (value: number) =>
      value * (value < 0 ? negativeWeight : 1) * length;
    const { advantage } = sequence;
    return {
      ...sequence,
      advantage: typeof advantage === "number"
        ? weigh(advantage)
        : Array.from(advantage, weigh),
    };
  });
}

function sequencesOf(group: Group): TrainSequence[] {
  const { episodes, advantages, tokenAdvantages } = group;
  return episodes.flatMap(({ trajectory }, i) =>
    trajectory === null ? [] : [{
      ...trajectory,
      advantage: tokenAdvantages?.[i] ?? advantages[i]!,
    }]
  );
}

function meanStats(all: readonly UpdateStats[]): UpdateStats {
  const of = (key: keyof UpdateStats) => mean(all.map((one) => one[key]));
  const total = (key: keyof UpdateStats) => of(key) * all.length;
  return {
    loss: of("loss"),
    gradNorm: of("gradNorm"),
    entropy: of("entropy"),
    klOld: of("klOld"),
    klReference: of("klReference"),
    clipShare: of("clipShare"),
    lossTokens: total("lossTokens"),
    tokens: total("tokens"),
  };
}
