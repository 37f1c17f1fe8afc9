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
import { type Candidate, openCandidate } from "./candidate.ts";
import { evaluate, jobsOf, reportOf, tasksOf } from "./evaluate.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";
import { EvaluationDir } from "./evaluation_dir.ts";

/** What is evaluated, and in which run dir. */
export interface EvaluationPlan {
  readonly path: string;
  /** Whether the run dir is there already. */
  readonly isResumed: boolean;
  /** Of one that is resumed: see `EvaluationDir.resume()`. */
  readonly discard?: boolean;
  /** As the evaluation's own, but for what a session may change. */
  readonly config: EvaluationConfig;
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
    readonly onEpisode?: (episode: Episode) => void;
    /** Called once a tracker of the config has the run, with where it is to be seen. */
    readonly onLink?: TrackOptions["onLink"];
  }): Promise<{
    /** Whether the evaluation is complete. */
    readonly isComplete: boolean;
    readonly trackers: readonly TrackerReport[];
  }>;
}

/**
 * Opens all that a session takes. A model that does not answer is found out before anything is written.
 * @throws {ConfigError} If a task, a model or the dataset is not there.
 * @throws {RunDirError} If the evaluation used another dataset, or its run dir cannot be used.
 */
export async function openEvaluation(
  { path, isResumed, config, discard = false }: EvaluationPlan,
  options: { readonly signal: AbortSignal },
): Promise<EvaluationSession> {
  await using stack = new AsyncDisposableStack();
  const dataset = await openDataset(config.data, options);
  tasksOf(dataset, config);
  const earlier = isResumed
    ? stack.use(await EvaluationDir.resume(path, { discard }))
    : undefined;
  if (earlier !== undefined) checkResume(earlier, { dataset });
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
  const planned = jobsOf(dataset, config).length;
  return {
    dir,
    dataset,
    candidate,
    user,
    left: planned - dir.episodes().length,
    halt: meter.signal,
    async run({ onEpisode, onLink } = {}) {
      const journal = new EvaluationJournal(planned);
      for (const episode of dir.episodes()) journal.add(episode);
      await using tracking = await track(dir, { journal, onLink });
      const { outcome } = await dir.session(async () => {
        const isComplete = await evaluate({
          dir,
          dataset,
          agent: candidate.agent,
          user,
          judge,
          signal,
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
        const result = reportOf(dir, dataset);
        journal.report(result, Date.now());
        return { isComplete, result };
      }, { signal });
      const trackers = await tracking.end(outcome);
      return { isComplete: outcome === "completed", trackers };
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
