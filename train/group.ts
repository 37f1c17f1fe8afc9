/**
 * Groups: the episodes of one task under one policy, compared with each other.
 *
 * @module
 */

import type { Episode, Task } from "../env/types.ts";
import { advantages, variance } from "./advantage.ts";
import type { EpisodePlace } from "./episode_store.ts";
import { rewardOf, scored } from "./episode_stats.ts";

/** Episodes of one task under one policy; those whose infrastructure failed are not in it. */
export interface Group {
  readonly task: Task;
  readonly episodes: readonly Episode[];
  readonly rewards: readonly number[];
  readonly advantages: readonly number[];
  readonly variance: number;
}

/**
 * Sorts sampled episodes into groups. A task whose every episode failed has no group.
 * @param tasks `[P]`.
 * @param sampled `[P * G]`, the episodes of each task together, in the order of `tasks`.
 */
export function groupEpisodes(
  tasks: readonly Task[],
  sampled: readonly Episode[],
  options: { readonly groupSize: number; readonly divideByStd: boolean },
): Group[] {
  const { groupSize, divideByStd } = options;
  return tasks.flatMap((task, i) => {
    const episodes = scored(sampled.slice(i * groupSize, (i + 1) * groupSize));
    if (episodes.length === 0) return [];
    const rewards = episodes.map(rewardOf);
    return [{
      task,
      episodes,
      rewards,
      advantages: advantages(rewards, { divideByStd }),
      variance: variance(rewards),
    }];
  });
}

/** Each episode with its group and its advantage; failed ones stand in their group without one. */
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
        source: "grpo",
        group: found?.i ?? -1,
        advantage: trained ? found.group.advantages[at]! : null,
      },
    };
  });
}
