/** An RL step's update of the policy. */

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

/** Settings of {@linkcode updateOnGroups}. */
export interface UpdateOptions {
  readonly loss: StepOptions & PolicyLoss;
  /** Parts that the sequences are split into, one update each; the ratio is clipped from the second on. */
  readonly minibatches: number;
  /** What the loss is a mean over: all tokens alike, or the tokens of each episode first. */
  readonly lossMean: "token" | "episode";
  /** What negative advantages are multiplied by. */
  readonly negativeWeight: number;
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
 * Sequences whose advantages are weighted, so that the trainer's mean over tokens comes to the mean wanted.
 * For the mean over episodes an advantage is divided by its episode's sampled tokens and multiplied by their
 * mean: a conversation that went astray and on for long then counts no more than a short one.
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
