/** Starts runs of the CPU trainer, and runs their sessions. */

import type { Dataset, UserFactory } from "../env/types.ts";
import { createMeter } from "../env/models/meter.ts";
import type { Config } from "./config/config.ts";
import { openUser } from "./config/open_user.ts";
import { type CpuLab, createCpuLab } from "./cpu/cpu_lab.ts";
import type { Metrics } from "./runs/metrics.ts";
import { drawCurve } from "./runs/run_figure.ts";
import { train, type TrainOptions } from "./loop.ts";
import { TrainingDir } from "./runs/training_dir.ts";
import { newRunInfo } from "./runs/run_info.ts";
import { readRunTokenizer, TOKENIZER } from "./cpu/run_tokenizer.ts";
import { sealedJson } from "./runs/seal.ts";
import { summarize, type Summary } from "./runs/summary.ts";
import { metricsJournal } from "./tracking/metrics_journal.ts";
import type { TrackerReport } from "./tracking/outbox.ts";
import { track, type TrackOptions } from "./tracking/run_tracking.ts";

/** Options for {@linkcode startRun}. */
export interface StartRunOptions {
  readonly config: Config;
  /**
   * The dataset to train on: the result of `openDataset(config.data)`, optionally modified, for example by
   * `withTools()`.
   */
  readonly dataset: Pick<Dataset, "name" | "fingerprint">;
  /** The time at which the run starts. Default: the current time. */
  readonly now?: Date;
  /**
   * Whether to append `-2`, `-3`, … to the path if it exists. Default: `false`, in which case an existing path is an
   * error.
   */
  readonly numberIfTaken?: boolean;
}

/**
 * Creates a run dir and opens it; train in it with `runSession()`. Use it with `await using`.
 * @throws {ConfigError} If the directory already exists and `numberIfTaken` is `false`.
 * @throws {RunDirError} If it cannot be written.
 */
export async function startRun(
  path: string,
  { config, dataset, now = new Date(), numberIfTaken = false }: StartRunOptions,
): Promise<TrainingDir> {
  const { name, fingerprint } = dataset;
  const info = await newRunInfo({
    seed: config.seed,
    dataset: { name, fingerprint },
    now,
  });
  return await TrainingDir.create(path, { config, info, numberIfTaken });
}

/** Options for {@linkcode runSession}. */
export interface SessionOptions extends
  Pick<
    TrainOptions,
    "signal" | "halt" | "reward" | "onLine" | "onActivity"
  > {
  readonly run: TrainingDir;
  readonly dataset: Dataset;
  /** Called when the demonstrations and the policy are ready. */
  readonly onLab?: (lab: CpuLab) => void;
  /** The simulated user to train with. Default: the user in the config, limited by the config's budget. */
  readonly user?: UserFactory;
  /** Called when a tracker of the config has registered the run, with its URL. */
  readonly onLink?: TrackOptions["onLink"];
}

/** The outcome of a session. */
export interface SessionResult extends Summary {
  readonly outcome: "completed" | "interrupted";
  /** The total duration of the run in seconds, across all sessions that were not killed. */
  readonly wallS: number;
  /** The highest peak memory of the run's sessions, in bytes. */
  readonly peakRssBytes: number;
  /** One report for each tracker of the config. */
  readonly trackers: readonly TrackerReport[];
}

/**
 * Trains until the run is complete or aborted, and records the outcome or the failure in `run.json`. Unless training
 * fails, draws the curves into `curve.svg`.
 * @throws {TrainerError} If the policy diverges.
 * @throws {RunDirError} If a checkpoint is damaged or cannot be written.
 */
export async function runSession(
  options: SessionOptions,
): Promise<SessionResult> {
  const { run, onLink } = options;
  const journal = metricsJournal(run);
  await using tracking = await track(run, { journal, onLink });
  const onLine = (line: Metrics) => {
    options.onLine?.(line);
    tracking.wake();
  };
  const { outcome, result } = await run.session(async () => {
    const isComplete = await trainInLab({ ...options, onLine });
    await drawCurve(run);
    const result = summarize(run.metrics, run.config.coldStart.steps);
    return { isComplete, result };
  });
  const trackers = await tracking.end(outcome);
  return { ...result, outcome, ...totals(run), trackers };
}

async function trainInLab(options: SessionOptions): Promise<boolean> {
  const { run, dataset } = options;
  const { user, ...halted } = await userOf(options);
  const tokenizer = await readRunTokenizer(run.path, {
    hint: "remove the file and resume to train an identical tokenizer",
  });
  await using lab = await createCpuLab({
    config: run.config,
    dataset,
    user,
    ...(tokenizer ? { tokenizer } : {}),
  });
  if (!tokenizer) await run.writeText(TOKENIZER, sealedJson(lab.tokenizer));
  options.onLab?.(lab);
  return await train({ ...options, ...halted, lab });
}

/** Returns the user and, for the config's own user, the signal that stops the session when its budget is spent. */
async function userOf(
  { run, dataset, user, halt, signal }: SessionOptions,
): Promise<{ readonly user: UserFactory; readonly halt?: AbortSignal }> {
  if (user !== undefined) return { user };
  const { budget, prices } = run.config;
  const before = run.userUsage();
  const meter = createMeter({ ...budget, prices, before });
  return {
    user: await openUser(run.config, {
      dataset,
      meter,
      signal,
    }),
    halt: AbortSignal.any([meter.signal, ...(halt ? [halt] : [])]),
  };
}

function totals(run: TrainingDir): { wallS: number; peakRssBytes: number } {
  const { sessions } = run.info;
  return {
    wallS: sessions.reduce((sum, { wallS }) => sum + (wallS ?? 0), 0),
    peakRssBytes: Math.max(
      0,
      ...sessions.map(({ peakRssBytes }) => peakRssBytes ?? 0),
    ),
  };
}
