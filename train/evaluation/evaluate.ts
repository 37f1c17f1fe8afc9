/**
 * An evaluation, from its plan to its report.
 *
 *     tasks × trials ─▶ what is not there yet ─▶ rollouts ─▶ episodes.db ─▶ report
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
import { floorOf } from "./do_nothing.ts";
import { type EvaluationReport, reportOn } from "./evaluation_report.ts";

/** One episode of the plan. */
export interface Job {
  readonly task: Task;
  /** Position of the task among those evaluated. */
  readonly position: number;
  readonly trial: number;
  /** Depends on the run's seed, the task and the trial, and on nothing else. */
  readonly seed: number;
}

/** An episode's place in the plan: the position of its task, and its trial. */
export type JobPlace = Pick<Job, "position" | "trial">;

/** Settings of {@linkcode evaluate}. */
export interface EvaluateOptions {
  readonly dir: EvaluationDir;
  readonly dataset: Dataset;
  readonly agent: Agent;
  readonly user: UserFactory;
  /** Who judges what no program can. Default: nobody. */
  readonly judge?: Judge | undefined;
  /** Ends the evaluation; what has ended by then is kept. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  /** Conversations in flight. Default: the config's. */
  readonly concurrency?: number;
  /** Which episodes of the plan are meant. Default: all. */
  readonly only?: readonly JobPlace[] | undefined;
  /** Called with each episode that ends. */
  readonly onEpisode?: (episode: Episode) => void;
}

/** The tasks that a config means. @throws {ConfigError} If the split has no such task. */
export function tasksOf(dataset: Dataset, config: EvaluationConfig): Task[] {
  const all = dataset.tasks(config.split);
  if (config.tasks === null) return [...all];
  return config.tasks.map((index) => {
    const task = all.find((one) => one.index === index);
    if (task !== undefined) return task;
    throw new ConfigError(
      `There is no task ${index} in the ${config.split} split of ${dataset.name} ${dataset.domain}: it has ${all.length} tasks, from 0${
        config.data.exclude === null ? "" : ", without those that are excluded"
      }`,
    );
  });
}

/** The plan: every trial of every task; first trials first, so that an interrupted evaluation covers all tasks. */
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

/** What is missing of the plan, or of the episodes of it that are meant. */
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
 * Runs what is missing of the plan.
 * @returns Whether the plan is complete; it is not once `signal` is aborted.
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

/** What is there of an evaluation. */
export function reportOf(
  dir: EvaluationDir,
  dataset: Dataset,
): EvaluationReport {
  const tasks = tasksOf(dataset, dir.config).map((task) => ({
    id: task.id,
    intent: task.intent ?? null,
    floor: floorOf(dataset, task),
  }));
  return reportOn(dir.episodes(), { tasks, trials: dir.config.trials });
}
