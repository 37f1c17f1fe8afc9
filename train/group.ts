/** Samples groups of episodes. The episodes of a group share a task and a policy, and are compared with each other. */

import type { Episode, Task } from "../env/types.ts";
import { type AdvantageName, advantages, variance } from "./advantage.ts";
import { type CreditName, tokenAdvantages } from "./credit.ts";
import type { EpisodePlace } from "./runs/episode_store.ts";
import { rewardOf, scored } from "./runs/episode_stats.ts";
import type { Job } from "./lab.ts";

/** Episodes of one task under one policy. Episodes that failed because of infrastructure are excluded. */
export interface Group {
  readonly task: Task;
  readonly episodes: readonly Episode[];
  readonly rewards: readonly number[];
  readonly advantages: readonly number[];
  /** The advantage of each token, `[G][T]`, if it differs from the advantage of its episode. */
  readonly tokenAdvantages?: readonly (readonly number[])[];
  readonly variance: number;
}

/** Options for {@linkcode sampleGroups}. */
export interface GroupOptions {
  /** The number of groups to sample, not counting groups whose rewards are all equal. */
  readonly tasksPerStep: number;
  readonly groupSize: number;
  readonly advantage: AdvantageName;
  /** The method of credit assignment. Default: `episode`. */
  readonly credit?: CreditName;
  /** The weight of turn-level credit relative to the episode's advantage. Default: 1. */
  readonly creditWeight?: number;
  /**
   * The maximum number of extra rounds of sampling. Each extra round uses new tasks to replace groups whose rewards are
   * all equal, because such groups teach nothing.
   */
  readonly maxRefills: number;
  /** Returns the seed of a task's i-th episode, counted from 0. */
  readonly seedOf: (task: Task, i: number) => number;
  readonly sample: (jobs: readonly Job[]) => Promise<readonly Episode[]>;
}

/** The result of {@linkcode sampleGroups}. */
export interface SampledGroups {
  /** All groups, including the groups whose rewards are all equal. */
  readonly groups: readonly Group[];
  /** All sampled episodes, including failed ones. */
  readonly episodes: readonly Episode[];
  /** The number of tasks sampled after the first round. */
  readonly refilled: number;
}

/**
 * Samples groups until enough of them have differing rewards, or until the refills or the tasks run out.
 * @param tasks The tasks, in the order in which they are used.
 */
export async function sampleGroups(
  tasks: readonly Task[],
  options: GroupOptions,
): Promise<SampledGroups> {
  const { tasksPerStep, groupSize, maxRefills, seedOf } = options;
  const groups: Group[] = [];
  const episodes: Episode[] = [];
  let taken = 0;
  for (let round = 0; round <= maxRefills; round++) {
    const useful = groups.filter(({ variance }) => variance > 0).length;
    const chosen = tasks.slice(taken, taken + tasksPerStep - useful);
    if (chosen.length === 0) break;
    taken += chosen.length;
    const sampled = await options.sample(
      chosen.flatMap((task) =>
        Array.from(
          { length: groupSize },
          (_, i) => ({ task, seed: seedOf(task, i) }),
        )
      ),
    );
    episodes.push(...sampled);
    groups.push(...groupEpisodes(chosen, sampled, options));
  }
  return { groups, episodes, refilled: Math.max(0, taken - tasksPerStep) };
}

/**
 * Sorts sampled episodes into groups. A task whose episodes all failed has no group.
 * @param tasks `[P]`.
 * @param sampled `[P * G]`, grouped by task, in the order of `tasks`.
 */
export function groupEpisodes(
  tasks: readonly Task[],
  sampled: readonly Episode[],
  options: Pick<
    GroupOptions,
    "groupSize" | "advantage" | "credit" | "creditWeight"
  >,
): Group[] {
  const { groupSize, advantage, credit = "episode", creditWeight = 1 } =
    options;
  return tasks.flatMap((task, i) => {
    const episodes = scored(sampled.slice(i * groupSize, (i + 1) * groupSize));
    if (episodes.length === 0) return [];
    const rewards = episodes.map(rewardOf);
    return [{
      task,
      episodes,
      rewards,
      advantages: advantages(rewards, advantage),
      ...(credit === "episode" ? {} : {
        tokenAdvantages: tokenAdvantages(
          episodes.map(({ trajectory }, k) => ({
            trajectory,
            reward: rewards[k]!,
          })),
          { credit, creditWeight, advantage },
        ),
      }),
      variance: variance(rewards),
    }];
  });
}

/**
 * Returns each episode with its place in the run. The advantage is `null` if the episode failed or its group's rewards
 * are all equal; the group is -1 if all episodes of the task failed.
 */
export function placeEpisodes(
  groups: readonly Group[],
  episodes: readonly Episode[],
  step: number,
): { episode: Episode; place: EpisodePlace }[] {
  const groupOf = new Map(
    groups.map((group, i) => [group.task.id, { group, i }]),
  );
  return episodes.map((episode) => {
    const found = groupOf.get(episode.taskId);
    const at = found?.group.episodes.indexOf(episode) ?? -1;
    const trained = found !== undefined && found.group.variance > 0 && at >= 0;
    return {
      episode,
      place: {
        step,
        source: "rl",
        group: found?.i ?? -1,
        advantage: trained ? found.group.advantages[at]! : null,
      },
    };
  });
}
