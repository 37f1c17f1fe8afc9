/**
 * A session of an evaluation, which may be new or resumed. It runs until the evaluation is complete, its budget is
 * spent, or it is stopped.
 */

import { createMeter } from "../../env/models/meter.ts";
import { addUsage, NO_USAGE } from "../../env/models/usage.ts";
import {
  type Dataset,
  type Episode,
  STAND_IN,
  type UserFactory,
} from "../../env/types.ts";
import { openDataset } from "../config/open_dataset.ts";
import { openJudge } from "../config/open_judge.ts";
import { openUser } from "../config/open_user.ts";
import { refuseTaken } from "../runs/run_dir.ts";
import { checkResume } from "../runs/resume_check.ts";
import { newRunInfo } from "../runs/run_info.ts";
import { EvaluationJournal } from "../tracking/evaluation_journal.ts";
import type { TrackerReport } from "../tracking/outbox.ts";
import { track, type TrackOptions } from "../tracking/run_tracking.ts";
import { trackersIn } from "../tracking/tracking_schema.ts";
import { type Candidate, openCandidate } from "./candidate.ts";
import {
  evaluate,
  type JobPlace,
  jobsOf,
  missingJobs,
  reportOf,
  tasksOf,
} from "./evaluate.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";
import { EvaluationDir } from "./evaluation_dir.ts";
import type { ShardProgress } from "./shard_order.ts";
import { recoverShards, runShards } from "./evaluation_shards.ts";
import type { ShardRunner } from "./shard_process.ts";

/** The evaluation to run and its run dir. */
export interface EvaluationPlan {
  readonly path: string;
  /** Whether the run dir already exists. */
  readonly isResumed: boolean;
  /**
   * Whether a new run gets a numbered name, such as `PATH-2`, if `path` exists. If `false`, the default, an existing
   * path is an error.
   */
  readonly numberIfTaken?: boolean;
  /**
   * Whether to rerun scored episodes that were lost. Used only for a resumed evaluation; see `EvaluationDir.resume()`.
   */
  readonly discard?: boolean;
  /** The evaluation's config, with this session's values for the keys that may change. */
  readonly config: EvaluationConfig;
  /** The episodes of the plan to run, if they run in the current process. Default: all. */
  readonly only?: readonly JobPlace[];
}

/** An open session. Use it with `await using`. */
export interface EvaluationSession extends AsyncDisposable {
  readonly dir: EvaluationDir;
  readonly dataset: Dataset;
  readonly candidate: Candidate;
  readonly user: UserFactory;
  /** The number of episodes that were missing when the session was opened. */
  readonly left: number;
  /** Aborted when the budget is spent. */
  readonly halt: AbortSignal;
  /** Runs the missing episodes. */
  run(options?: {
    /** The number of processes. Default: 1, the current process. */
    readonly workers?: number;
    readonly onEpisode?: (episode: Episode) => void;
    /** Called instead of `onEpisode` if there are several processes. */
    readonly onProgress?: (progress: ShardProgress) => void;
    /** Called when a tracker of the config has registered the run, with its URL. */
    readonly onLink?: TrackOptions["onLink"];
  }): Promise<{
    /** Whether the evaluation is complete. */
    readonly isComplete: boolean;
    /** Reasons why processes stopped early, one clause each. */
    readonly stopped: readonly string[];
    readonly trackers: readonly TrackerReport[];
  }>;
}

/**
 * Opens everything that a session needs. A new run dir is created only after the models have answered. A resumed
 * evaluation first recovers the shards of earlier sessions.
 * @throws {ConfigError} If a task, a model or the dataset is not available, or the path of a new evaluation exists
 * already.
 * @throws {RunDirError} If the evaluation used another dataset, or its run dir cannot be used.
 */
export async function openEvaluation(
  plan: EvaluationPlan,
  options: {
    readonly signal: AbortSignal;
    /**
     * The runner of the workers' processes. If it is set, even a single worker runs in a separate process. Default:
     * processes on this machine.
     */
    readonly runner?: ShardRunner | undefined;
  },
): Promise<EvaluationSession> {
  const { path, isResumed, config, discard = false, only } = plan;
  const { numberIfTaken = false } = plan;
  const { runner } = options;
  await using stack = new AsyncDisposableStack();
  if (!isResumed && !numberIfTaken) await refuseTaken(path);
  const dataset = await openDataset(config.data, options);
  tasksOf(dataset, config);
  const earlier = isResumed
    ? stack.use(await EvaluationDir.resume(path, { discard }))
    : undefined;
  if (earlier !== undefined) {
    checkResume(earlier, { dataset });
    await recoverShards(earlier, { runner, discard });
  }
  const before = earlier === undefined ? NO_USAGE : usageOf(earlier, dataset);
  const { budget, prices } = config;
  const meter = createMeter({ ...budget, prices, before });
  const signal = AbortSignal.any([options.signal, meter.signal]);
  const candidate = stack.use(
    await openCandidate(config, { dataset, meter, signal }),
  );
  const user = await openUser(config, { dataset, meter, signal });
  const judge = await openJudge(config.judge, { meter, signal }) ??
    (config.user.strategy === "scripted" ? STAND_IN : undefined);
  const dir = earlier ??
    stack.use(await createDir(path, { config, dataset, numberIfTaken }));
  const held = stack.move();
  const planned = only?.length ?? jobsOf(dataset, config).length;
  return {
    dir,
    dataset,
    candidate,
    user,
    left: missingJobs(dir, dataset, only).length,
    halt: meter.signal,
    async run({ workers = 1, onEpisode, onProgress, onLink } = {}) {
      const journal = new EvaluationJournal(planned);
      for (const episode of dir.episodes()) journal.add(episode);
      await using tracking = await track(dir, { journal, onLink });
      let stopped: readonly string[] = [];
      const alone = () =>
        evaluate({
          dir,
          dataset,
          agent: candidate.agent,
          user,
          judge,
          signal,
          only,
          concurrency: config.rollout.concurrency,
          now: () => performance.timeOrigin + performance.now(),
          onEpisode(episode) {
            onEpisode?.(episode);
            journal.add({
              ...episode,
              reward: episode.reward?.value ?? null,
              turns: episode.turns.length,
            });
            tracking.wake();
          },
        });
      const inProcesses = async () => {
        const known = dir.keys().size;
        const used = usageOf(dir, dataset);
        stopped = await runShards(missingJobs(dir, dataset, only), {
          ...{ dir, config, workers, signal, used, runner, onProgress },
        });
        // Trackers receive the curve of a sharded evaluation after its shards have been merged.
        const isTracked = trackersIn(dir.config.tracking).length > 0;
        const added = isTracked ? dir.episodes().slice(known) : [];
        for (const episode of added) journal.add(episode);
        tracking.wake();
        return missingJobs(dir, dataset, only).length === 0;
      };
      const { outcome } = await dir.session(async () => {
        const isComplete = await (workers === 1 && runner === undefined
          ? alone()
          : inProcesses());
        const result = reportOf(dir, dataset);
        journal.report(result, Date.now());
        return { isComplete, result };
      }, { signal });
      const trackers = await tracking.end(outcome);
      return { isComplete: outcome === "completed", stopped, trackers };
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

async function createDir(
  path: string,
  { config, dataset, numberIfTaken }: {
    config: EvaluationConfig;
    dataset: Dataset;
    numberIfTaken: boolean;
  },
): Promise<EvaluationDir> {
  const { name, fingerprint } = dataset;
  const info = await newRunInfo({
    kind: "evaluate",
    seed: config.seed,
    dataset: { name, fingerprint },
    now: new Date(),
  });
  return await EvaluationDir.create(path, { config, info, numberIfTaken });
}

function usageOf(dir: EvaluationDir, dataset: Dataset) {
  const { agent, user } = reportOf(dir, dataset).usage;
  return addUsage(agent, user);
}
