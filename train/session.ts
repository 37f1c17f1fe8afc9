/** A run of the CPU trainer, as `deno task train` and scripts begin one, and one session of it: to its outcome. */

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

/** Settings of {@linkcode startRun}. */
export interface StartRunOptions {
  readonly config: Config;
  /** What it will train on; `openDataset(config.data)` unless it has been changed, as by `withTools()`. */
  readonly dataset: Pick<Dataset, "name" | "fingerprint">;
  /** Default: now. */
  readonly now?: Date;
}

/**
 * Creates a run dir and opens it; `runSession()` then trains in it. Held by `await using`.
 * @throws {ConfigError} If it is there already.
 * @throws {RunDirError} If it cannot be written.
 */
export async function startRun(
  path: string,
  { config, dataset, now = new Date() }: StartRunOptions,
): Promise<TrainingDir> {
  const { name, fingerprint } = dataset;
  const info = await newRunInfo({
    seed: config.seed,
    dataset: { name, fingerprint },
    now,
  });
  return await TrainingDir.create(path, { config, info });
}

/** Settings of {@linkcode runSession}. */
export interface SessionOptions extends
  Pick<
    TrainOptions,
    "signal" | "halt" | "reward" | "onLine" | "onActivity"
  > {
  readonly run: TrainingDir;
  readonly dataset: Dataset;
  /** Called once the expert has shown what it can and the policy is made. */
  readonly onLab?: (lab: CpuLab) => void;
  /** The user that the policy serves while it learns. Default: the config's, within its budget. */
  readonly user?: UserFactory;
  /** Called once a tracker of the config has the run, with where it is to be seen. */
  readonly onLink?: TrackOptions["onLink"];
}

/** How a session ended. */
export interface SessionResult extends Summary {
  readonly outcome: "completed" | "interrupted";
  /** Seconds that the run took, over all its sessions that ended in order. */
  readonly wallS: number;
  /** The most memory that a session held. */
  readonly peakRssBytes: number;
  /** What came of each tracker of the config. */
  readonly trackers: readonly TrackerReport[];
}

/**
 * Trains to the end or to an abort; notes the outcome in `run.json`, also of a failure, and draws the curve.
 * @throws What {@linkcode train} throws.
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
    wayOut: "remove it and resume: the same one is trained again",
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

/** The user, and for the config's own what halts the session once its budget is spent. */
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
