/**
 * Runs an evaluation, from its plan to its report.
 *
 *     tasks × trials ─▶ missing episodes ─▶ rollouts ─▶ episodes.db ─▶ report
 */

import { ConfigError } from "../../env/errors.ts";
import { rolloutAll } from "../../env/rollout.ts";
import { trialSeed } from "../../env/trials.ts";
import type {
  Agent,
  Dataset,
  Episode,
  Judge,
  Task,
  UserFactory,
} from "../../env/types.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";
import { type EvaluationDir, keyOf } from "./evaluation_dir.ts";
import { baselineOf } from "./do_nothing.ts";
import { type EvaluationReport, reportOn } from "./evaluation_report.ts";

/** A planned episode. */
export interface Job {
  readonly task: Task;
  /** The index of the task among the evaluated tasks. */
  readonly position: number;
  readonly trial: number;
  /** The episode's seed. It depends only on the run's seed, the task and the trial. */
  readonly seed: number;
}

/** The position of an episode in the plan: the index of its task, and its trial. */
export type JobPlace = Pick<Job, "position" | "trial">;

/** Options for {@linkcode evaluate}. */
export interface EvaluateOptions {
  readonly dir: EvaluationDir;
  readonly dataset: Dataset;
  readonly agent: Agent;
  readonly user: UserFactory;
  /** The judge for criteria that no program can check. Default: none. */
  readonly judge?: Judge | undefined;
  /** Aborting this signal ends the evaluation; completed episodes are kept. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** The number of concurrent conversations. Default: the number in the config. */
  readonly concurrency?: number;
  /** The episodes of the plan to run. Default: all. */
  readonly only?: readonly JobPlace[] | undefined;
  /** Called with each completed episode. */
  readonly onEpisode?: (episode: Episode) => void;
}

/**
 * Returns the tasks that a config selects.
 * @throws {ConfigError} If the split lacks a task that the config names.
 */
export function tasksOf(dataset: Dataset, config: EvaluationConfig): Task[] {
  const all = dataset.tasks(config.split);
  if (config.tasks === null) return [...all];
  return config.tasks.map((index) => {
    const task = all.find((one) => one.index === index);
    if (task !== undefined) return task;
    const range = `its tasks are numbered from ${all[0]?.index} to ${
      all.at(-1)?.index
    }`;
    throw new ConfigError(
      `The ${config.split} split of ${dataset.name} ${dataset.domain} has no task ${index}; ${
        all.length === 0
          ? "it is empty"
          : config.data.exclude === null
          ? range
          : `${range}, except those that data.exclude excludes`
      }`,
    );
  });
}

/**
 * Returns the plan: every trial of every task. The first trials of all tasks come first, so that an interrupted
 * evaluation covers all tasks.
 */
export function jobsOf(dataset: Dataset, config: EvaluationConfig): Job[] {
  const tasks = tasksOf(dataset, config);
  return Array.from(
    { length: config.trials },
    (_, trial) =>
      tasks.map((task, position) => ({
        task,
        position,
        trial,
        seed: trialSeed(config.seed, { task, trial }),
      })),
  ).flat();
}

/** Returns the planned episodes that are missing. `only` limits them to the given episodes of the plan. */
export function missingJobs(
  dir: EvaluationDir,
  dataset: Dataset,
  only?: readonly JobPlace[],
): Job[] {
  const done = dir.keys();
  const place = ({ position, trial }: JobPlace) => `${position} ${trial}`;
  const meant = only && new Set(only.map(place));
  return jobsOf(dataset, dir.config).filter((job) =>
    !done.has(keyOf({ taskId: job.task.id, seed: job.seed })) &&
    (meant?.has(place(job)) ?? true)
  );
}

/**
 * Runs the episodes of the plan that are missing; with `only`, runs only the missing episodes that it lists.
 * @returns `true` if all of them were run, `false` if `signal` was aborted.
 */
export async function evaluate(options: EvaluateOptions): Promise<boolean> {
  const { dir, dataset, agent, user, judge, signal, now, onEpisode } = options;
  const { rollout } = dir.config;
  const jobs = missingJobs(dir, dataset, options.only);
  const specs = jobs.map(({ task, seed }) => ({
    dataset,
    task,
    agent,
    user,
    judge,
    seed,
    maxTurns: rollout.maxTurns,
    maxParseErrors: rollout.maxParseErrors,
    retries: rollout.retries,
  }));
  try {
    await rolloutAll(specs, {
      concurrency: options.concurrency ?? rollout.concurrency,
      now,
      signal,
      onEpisode(episode, index) {
        dir.add({ episode, task: jobs[index]?.position ?? 0 }, now());
        onEpisode?.(episode);
      },
    });
    return true;
  } catch (error) {
    if (!signal.aborted) throw error;
    return false;
  } finally {
    dir.flush();
  }
}

/** Returns the report on the episodes of an evaluation so far. */
export function reportOf(
  dir: EvaluationDir,
  dataset: Dataset,
): EvaluationReport {
  const tasks = tasksOf(dataset, dir.config).map((task) => ({
    id: task.id,
    intent: task.intent ?? null,
    baseline: baselineOf(dataset, task),
  }));
  return reportOn(dir.episodes(), { tasks, trials: dir.config.trials });
}
