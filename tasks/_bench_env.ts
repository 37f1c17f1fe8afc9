/**
 * Benchmarks environments. It measures how many episodes one core plays per second, each with all of its gold actions,
 * and how many heap bytes each live episode takes.
 */

import { createEnvironment } from "../env/environment.ts";
import { goldOf } from "../env/gold.ts";
import type { Dataset, Environment, Task, User } from "../env/types.ts";
import { heapBytes, type Measured, measured } from "./_bench_measure.ts";

/** The benchmark results for a dataset's environments. */
export interface EnvironmentBench {
  /** Episodes per second. Each episode is opened, stepped through its gold actions, and graded. */
  readonly goldEpisodesPerS: Measured;
  /** Heap bytes per finished episode that is still open, including the conversation. */
  readonly bytesPerEpisode: Measured;
  /** The number of different tasks that were played. */
  readonly tasks: number;
}

/** The duration of a repeat in milliseconds. */
const REPEAT_MS = 300;
/** The number of repeats. */
const REPEATS = 7;
/** The number of live episodes while memory is measured. */
const LIVE = 2000;

/** A user whose messages are always the same. */
const user: User = {
  open: () => Promise.resolve("hello"),
  reply: () => Promise.resolve("ok"),
};

/** Runs the benchmark on all tasks of all splits, after a warm-up that computes the gold state of every task. */
export async function benchEnvironment(
  dataset: Dataset,
): Promise<EnvironmentBench> {
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  for (const task of tasks) goldOf(dataset, task);
  await episodesPerS(dataset, tasks);
  const speeds: number[] = [];
  const sizes: number[] = [];
  for (let i = 0; i < REPEATS; i++) {
    speeds.push(await episodesPerS(dataset, tasks));
    sizes.push(await bytesPerEpisode(dataset, tasks));
  }
  return {
    goldEpisodesPerS: measured(speeds),
    bytesPerEpisode: measured(sizes),
    tasks: tasks.length,
  };
}

async function episodesPerS(
  dataset: Dataset,
  tasks: readonly Task[],
): Promise<number> {
  const start = performance.now();
  let episodes = 0;
  while (performance.now() - start < REPEAT_MS) {
    for (const task of tasks) {
      const environment = await playGold(dataset, task);
      if (environment.reward().parts.database !== 1) {
        throw new Error(
          `The gold actions of task "${task.id}" do not earn the reward`,
        );
      }
      episodes++;
    }
  }
  return episodes / (performance.now() - start) * 1000;
}

async function bytesPerEpisode(
  dataset: Dataset,
  tasks: readonly Task[],
): Promise<number> {
  const before = heapBytes();
  const live: Environment[] = [];
  while (live.length < LIVE) {
    for (const task of tasks.slice(0, LIVE - live.length)) {
      live.push(await playGold(dataset, task));
    }
  }
  return (heapBytes() - before) / live.length;
}

/** Plays a task's gold actions, up to the first one that ends the episode. */
async function playGold(dataset: Dataset, task: Task): Promise<Environment> {
  const environment = createEnvironment({ dataset, task, user });
  await environment.open();
  for (const { name, arguments: args } of task.actions) {
    const { done } = await environment.step({
      type: "tool",
      call: { id: "", name, arguments: args },
    });
    if (done) break;
  }
  return environment;
}
