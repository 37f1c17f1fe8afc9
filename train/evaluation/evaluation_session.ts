/** One session of an evaluation: started or resumed, run within its budget, until it is complete or stopped. */

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
import { runShards, takeOverShards } from "./evaluation_shards.ts";

/** What is evaluated, and in which run dir. */
export interface EvaluationPlan {
  readonly path: string;
  /** Whether the run dir is there already. */
  readonly isResumed: boolean;
  /** Of one that is resumed: see `EvaluationDir.resume()`. */
  readonly discard?: boolean;
  /** As the evaluation's own, but for what a session may change. */
  readonly config: EvaluationConfig;
  /** Which episodes of the plan are meant. Default: all. */
  readonly only?: readonly JobPlace[];
}

/** A session that has not begun. Held by `await using`. */
export interface EvaluationSession extends AsyncDisposable {
  readonly dir: EvaluationDir;
  readonly dataset: Dataset;
  readonly candidate: Candidate;
  readonly user: UserFactory;
  /** Episodes that are missing. */
  readonly left: number;
  /** Aborted once the budget is spent. */
  readonly halt: AbortSignal;
  /** Runs what is missing. */
  run(options?: {
    /** Processes that share it. Default: 1, which is this one. */
    readonly workers?: number;
    readonly onEpisode?: (episode: Episode) => void;
    /** Called in the place of `onEpisode` where there are several processes. */
    readonly onProgress?: (progress: ShardProgress) => void;
    /** Called once a tracker of the config has the run, with where it is to be seen. */
    readonly onLink?: TrackOptions["onLink"];
  }): Promise<{
    /** Whether the evaluation is complete. */
    readonly isComplete: boolean;
    /** Why processes stopped before their episodes had all ended, a clause each. */
    readonly stopped: readonly string[];
    readonly trackers: readonly TrackerReport[];
  }>;
}

/**
 * Opens all that a session takes. A model that does not answer is found out before anything is written.
 * @throws {ConfigError} If a task, a model or the dataset is not there.
 * @throws {RunDirError} If the evaluation used another dataset, or its run dir cannot be used.
 */
export async function openEvaluation(
  { path, isResumed, config, discard = false, only }: EvaluationPlan,
  options: { readonly signal: AbortSignal },
): Promise<EvaluationSession> {
  await using stack = new AsyncDisposableStack();
  const dataset = await openDataset(config.data, options);
  tasksOf(dataset, config);
  const earlier = isResumed
    ? stack.use(await EvaluationDir.resume(path, { discard }))
    : undefined;
  if (earlier !== undefined) {
    checkResume(earlier, { dataset });
    await takeOverShards(earlier);
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
  const dir = earlier ?? stack.use(await createDir(path, { config, dataset }));
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
        stopped = await runShards(missingJobs(dir, dataset), {
          ...{ dir, config, workers, signal, used, onProgress },
        });
        // Trackers have its course once the shards are put together.
        const isTracked = trackersIn(dir.config.tracking).length > 0;
        const added = isTracked ? dir.episodes().slice(known) : [];
        for (const episode of added) journal.add(episode);
        tracking.wake();
        return missingJobs(dir, dataset).length === 0;
      };
      const { outcome } = await dir.session(async () => {
        const isComplete = await (workers === 1 ? alone() : inProcesses());
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
  { config, dataset }: { config: EvaluationConfig; dataset: Dataset },
): Promise<EvaluationDir> {
  const { name, fingerprint } = dataset;
  const info = await newRunInfo({
    kind: "evaluate",
    seed: config.seed,
    dataset: { name, fingerprint },
    now: new Date(),
  });
  return await EvaluationDir.create(path, { config, info });
}

function usageOf(dir: EvaluationDir, dataset: Dataset) {
  const { agent, user } = reportOf(dir, dataset).usage;
  return addUsage(agent, user);
}
