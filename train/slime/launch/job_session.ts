/** Follows a run's job, and records its log, metrics and outcome in the run dir. */

import { drawCurve } from "../../runs/run_figure.ts";
import { join } from "node:path";
import type { CallOptions } from "../../../env/types.ts";
import type { AnyMetrics } from "../../runs/metrics.ts";
import { withDerived } from "../slime_config.ts";
import type { SlimeConfig } from "../slime_schema.ts";
import { followJob, type FollowOptions, type JobEnd } from "./follow.ts";
import type { LaunchRecord, LaunchSession } from "./launch_record.ts";
import type { JobState, RayJob, RayJobs } from "./ray_jobs.ts";
import { SlimeMetricsReader, type SlimeMetricsShape } from "./slime_metrics.ts";
import type { SlimeRun } from "./slime_run.ts";

/** Callbacks for a running job. */
export interface SessionEvents
  extends Pick<FollowOptions, "onState" | "onNote"> {
  /** Called with each new line of metrics. */
  readonly onLine?: (line: AnyMetrics) => void;
  /** Called with new lines of the job's log, starting with the lines of the copy in the run dir. */
  readonly onLogLines?: (lines: readonly string[]) => void;
}

/** Options for {@linkcode followSession}. */
export interface FollowSessionOptions
  extends
    CallOptions,
    SessionEvents,
    Pick<FollowOptions, "onSilence" | "pollMs" | "patienceMs"> {
  readonly run: SlimeRun;
  readonly jobs: RayJobs;
}

/**
 * Follows the last job of a run to its end. The copy of the log is read again first, so that incomplete rollouts are
 * not lost. Lines of metrics that exist already are not written again.
 * @throws {RayError} If Ray does not respond for too long, or does not have the job.
 * @throws The signal's reason, if it is aborted.
 */
export async function followSession(
  options: FollowSessionOptions,
): Promise<JobEnd> {
  const { run, onLine } = options;
  const { submissionId } = lastSession(run);
  const reader = new SlimeMetricsReader(
    metricsShape(run.config, run.launch!),
  );
  async function add(lines: readonly AnyMetrics[]): Promise<void> {
    for (const line of await run.record(lines)) onLine?.(line);
  }
  const end = await followJob({
    ...options,
    submissionId,
    logPath: join(run.logs, `${submissionId}.log`),
    async onLines(lines) {
      options.onLogLines?.(lines);
      await add(lines.flatMap((line) => reader.take(line)));
    },
  });
  await add(reader.end());
  return end;
}

/**
 * Returns the last session of a run.
 * @throws {TypeError} If the run has no session.
 */
export function lastSession({ launch }: SlimeRun): LaunchSession {
  const session = launch?.sessions.at(-1);
  if (session !== undefined) return session;
  throw new TypeError("The run has no job");
}

/** Returns a launch record with a given state for the run's last job. */
export function withState(
  launch: LaunchRecord,
  state: JobState,
): LaunchRecord {
  const sessions = launch.sessions.with(-1, {
    ...launch.sessions.at(-1)!,
    state,
  });
  return { ...launch, sessions };
}

/** Records the end of the session and the run's figures in `run.json`, and draws the curve. */
export async function closeSession(
  run: SlimeRun,
  job: Pick<RayJob, "state" | "exitCode" | "startedMs" | "endedMs">,
): Promise<void> {
  await drawCurve(run);
  await run.end({
    outcome: OUTCOMES[job.state],
    now: new Date(),
    wallS: ((job.endedMs ?? Date.now()) - (job.startedMs ?? Date.now())) /
      1000,
    peakRssBytes: null,
    result: { job: job.state, exitCode: job.exitCode, ...figures(run) },
  });
}

const OUTCOMES = {
  PENDING: "interrupted",
  RUNNING: "interrupted",
  SUCCEEDED: "completed",
  FAILED: "failed",
  STOPPED: "interrupted",
} as const;

/**
 * Returns the number of the last step (0 if there is none), and the last reward and the last pass^1 on dev (`null` if
 * there is none).
 */
export function figures({ metrics }: Pick<SlimeRun, "metrics">) {
  const rl = metrics.filter((line) => line.phase === "rl");
  const dev = metrics.findLast((line) =>
    line.phase === "eval" && line.split === "dev"
  );
  return {
    steps: Math.max(0, ...metrics.map(({ step }) => step)),
    reward: rl.at(-1)?.reward ?? null,
    pass1_dev: dev?.phase === "eval" ? dev.pass1 : null,
  };
}

function metricsShape(
  config: SlimeConfig,
  { evalTasks }: LaunchRecord,
): SlimeMetricsShape {
  const { rollout, eval: evals } = config;
  return {
    batchSize: rollout.batchSize,
    groupSize: rollout.groupSize,
    optimizerSteps: rollout.stepsPerRollout ??
      withDerived(config).batch.optimizerSteps,
    evalSamples: evals.samples,
    evalDecoding: evals.topK === 1 ? "greedy" : "sampled",
    evalTasks,
  };
}
