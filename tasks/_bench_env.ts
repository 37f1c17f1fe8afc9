/**
 * How fast environments are and how much they hold: gold episodes a second on one core, heap bytes per live
 * episode.
 */

import { createEnvironment } from "../env/environment.ts";
import { goldOf } from "../env/gold.ts";
import type { Dataset, Environment, Task, User } from "../env/types.ts";

/** A figure measured several times. */
export interface Measured {
  readonly median: number;
  /** Smallest and largest of the repeats. */
  readonly spread: readonly [min: number, max: number];
}

/** The figures of a dataset's environments. */
export interface EnvironmentBench {
  /** Episodes a second: opened, every gold action stepped with its observation, graded. */
  readonly goldEpisodesPerS: Measured;
  /** Heap bytes that an episode holds at its end, its conversation included. */
  readonly bytesPerEpisode: Measured;
  /** How many different tasks that is over. */
  readonly tasks: number;
}

/** Settings of {@linkcode benchEnvironment}. */
export interface EnvironmentBenchOptions {
  /** Milliseconds since some moment. */
  readonly now: () => number;
  /** How long a repeat of the speed lasts. Default: 300. */
  readonly repeatMs?: number;
  /** Default: 7. */
  readonly repeats?: number;
  /** How many episodes live at once where bytes are measured. Default: 2,000. */
  readonly liveEpisodes?: number;
}

/** A customer without words. */
const user: User = {
  open: () => Promise.resolve("hello"),
  reply: () => Promise.resolve("ok"),
};

/** Measures over all tasks of all splits, after a warm-up that computes every gold state. */
export async function benchEnvironment(
  dataset: Dataset,
  { now, repeatMs = 300, repeats = 7, liveEpisodes = 2000 }:
    EnvironmentBenchOptions,
): Promise<EnvironmentBench> {
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  for (const task of tasks) goldOf(dataset, task);
  await episodesPerS(dataset, { tasks, now, repeatMs });
  const speeds: number[] = [];
  const sizes: number[] = [];
  for (let i = 0; i < repeats; i++) {
    speeds.push(await episodesPerS(dataset, { tasks, now, repeatMs }));
    sizes.push(await bytesPerEpisode(dataset, { tasks, liveEpisodes }));
  }
  return {
    goldEpisodesPerS: measured(speeds),
    bytesPerEpisode: measured(sizes),
    tasks: tasks.length,
  };
}

async function episodesPerS(
  dataset: Dataset,
  { tasks, now, repeatMs }: {
    tasks: readonly Task[];
    now: () => number;
    repeatMs: number;
  },
): Promise<number> {
  const start = now();
  let episodes = 0;
  while (now() - start < repeatMs) {
    for (const task of tasks) {
      const environment = await playGold(dataset, task);
      if (environment.reward().parts.database !== 1) {
        throw new Error(
          `The gold of task "${task.id}" does not earn its reward`,
        );
      }
      episodes++;
    }
  }
  return episodes / (now() - start) * 1000;
}

async function bytesPerEpisode(
  dataset: Dataset,
  { tasks, liveEpisodes }: { tasks: readonly Task[]; liveEpisodes: number },
): Promise<number> {
  const before = heapBytes();
  const live: Environment[] = [];
  while (live.length < liveEpisodes) {
    for (const task of tasks.slice(0, liveEpisodes - live.length)) {
      live.push(await playGold(dataset, task));
    }
  }
  const bytes = heapBytes() - before;
  return bytes / live.length;
}

/** An episode up to its last gold action, also where a terminating one comes earlier. */
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

/** Bytes of the heap in use; exact only under `--v8-flags=--expose-gc`, else an upper bound. */
function heapBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  return Deno.memoryUsage().heapUsed;
}

/** Median and spread of some repeats. */
export function measured(values: readonly number[]): Measured {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)] ?? NaN;
  return { median: middle, spread: [sorted[0] ?? NaN, sorted.at(-1) ?? NaN] };
}
