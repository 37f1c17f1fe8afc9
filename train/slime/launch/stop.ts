/** Stopping a run that was launched, and making ready to resume one. */

import { ConfigError, RayError, RunDirError } from "../../../env/errors.ts";
import { retry } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import type { Fleet } from "./fleet.ts";
import { endAll } from "./launch.ts";
import {
  type LaunchRecord,
  type LaunchSession,
  readLaunchRecord,
} from "./launch_record.ts";
import { isFinal, type JobState, type RayJobs } from "./ray_jobs.ts";
import { isHeadAlive } from "./ray_cluster.ts";
import { closeSession, followSession, withState } from "./job_session.ts";
import { checkUnfinished } from "../../runs/resume_check.ts";
import { cutMetrics, readSlimeRun, SlimeRun } from "./slime_run.ts";

/** How to reach what a run started. */
export interface StopOptions extends CallOptions {
  readonly fleet: Fleet;
  readonly onNote?: (text: string) => void;
}

/** What a stop came to. */
export interface StopResult {
  readonly submissionId: string | null;
  /** How the job ended; `null` where Ray does not know it any more. */
  readonly state: JobState | null;
  /** Whether it ran until now. */
  readonly stopped: boolean;
  /** Episode servers and hosts of Ray that were ended. */
  readonly services: number;
  readonly rayHosts: readonly string[];
}

const STOP_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 60_000;
const POLL_MS = 500;

/**
 * Stops a run's job by its id, then its episode servers, then Ray where it was started for the run. Whoever
 * follows the run meanwhile does the latter two. Asked again, it finds nothing to do.
 * @throws {ConfigError} If there is no such run, or nothing was launched for it.
 * @throws {RayError} If the job cannot be stopped; then all else is left as it is.
 */
export async function stopRun(
  path: string,
  options: StopOptions,
): Promise<StopResult> {
  await readSlimeRun(path);
  const launch = await launched(path);
  const call = { signal: options.signal };
  const jobs = await options.fleet.jobsOf(launch, call);
  const session = launch.sittings.at(-1);
  const stopped = session === undefined || session.state !== null
    ? { state: session?.state ?? null, stopped: false }
    : await stopJob(session, { ...options, jobs, launch });
  await using run = await openWhenFree(path, options);
  const { services, ray } = run.launch!;
  await settle(run, { ...options, jobs, state: stopped.state });
  return {
    submissionId: session?.submissionId ?? null,
    ...stopped,
    services: services.length,
    rayHosts: run.launch!.ray === null ? ray?.hosts ?? [] : [],
  };
}

async function launched(path: string): Promise<LaunchRecord> {
  const launch = await readLaunchRecord(path);
  if (launch !== undefined) return launch;
  throw new ConfigError(
    `Nothing was launched for "${path}", so there is nothing to stop`,
  );
}

async function stopJob(
  { submissionId }: LaunchSession,
  { jobs, launch, fleet, signal, onNote }: StopOptions & {
    readonly jobs: RayJobs;
    readonly launch: LaunchRecord;
  },
): Promise<{ state: JobState | null; stopped: boolean }> {
  const call = { signal };
  try {
    const stopped = await jobs.stop(submissionId, call);
    return { state: await finalState(jobs, submissionId, call), stopped };
  } catch (error) {
    if (!(error instanceof RayError)) throw error;
    const isGone = error.kind === "not_found" ||
      launch.ray !== null && (error.kind === "unreachable" ||
          !await isHeadAlive(launch.ray, fleet.shellOf));
    if (!isGone) throw error;
    onNote?.(
      error.kind === "not_found"
        ? `Ray at ${jobs.url} knows no job "${submissionId}" any more`
        : `${error.message}. It was started for this run: what is left of it is ended`,
    );
    return { state: null, stopped: false };
  }
}

async function finalState(
  jobs: RayJobs,
  id: string,
  { signal }: CallOptions,
): Promise<JobState> {
  const { state } = await retry(() => jobs.job(id, { signal }), {
    backoffMs: POLL_MS,
    factor: 1,
    timeoutMs: STOP_TIMEOUT_MS,
    signal,
    isRetried: () => false,
    isFailure: ({ state }) => !isFinal(state),
  });
  if (isFinal(state)) return state;
  throw new RayError(
    `The job "${id}" was told to stop and still is ${state} after ${
      STOP_TIMEOUT_MS / 1000
    } s`,
    {
      kind: "timeout",
      hint: "look at it on Ray's dashboard, and stop it again",
    },
  );
}

/** Whoever follows the run sees its job end, and lets go of it. */
async function openWhenFree(
  path: string,
  { signal, onNote }: StopOptions,
): Promise<SlimeRun> {
  return await retry(() => SlimeRun.open(path), {
    backoffMs: POLL_MS,
    factor: 1,
    timeoutMs: LOCK_TIMEOUT_MS,
    signal,
    isRetried: (error) =>
      error instanceof RunDirError && error.message.includes("in use"),
    onRetry: ({ retries }) =>
      retries === 0 &&
      onNote?.("Another process follows the run; it tidies up"),
  });
}

/** Takes in what the job said last, ends the rest, and closes the session. */
async function settle(
  run: SlimeRun,
  options: StopOptions & {
    readonly jobs: RayJobs;
    readonly state: JobState | null;
  },
): Promise<void> {
  const { jobs, state } = options;
  const isOpen = run.launch!.sittings.at(-1)?.state === null;
  if (isOpen && state !== null) {
    const { job } = await followSession({
      ...options,
      run,
      patienceMs: 10_000,
    });
    await run.saveLaunch(withState(run.launch!, job.state));
    await endAll({ ...options, run }, { jobs });
    return await closeSession(run, job);
  }
  await endAll({ ...options, run }, { jobs });
  if (!isOpen) return;
  await run.saveLaunch(withState(run.launch!, "STOPPED"));
  await closeSession(run, {
    state: "STOPPED",
    exitCode: null,
    startedMs: null,
    endedMs: null,
  });
}

/** From where a run goes on. */
export interface ResumePoint {
  /** Rollouts that the last checkpoint has; 0 where there is none. */
  readonly step: number;
  /** Steps that were logged beyond it and are done again. */
  readonly cut: number;
}

/**
 * Makes a run ready to be launched again: its job has ended, what it left is ended, and its metrics are cut to
 * the checkpoint that slime goes on from.
 * @throws {ConfigError} If it is completed, or its job runs.
 * @throws {RayError} If nobody can say whether its job runs.
 */
export async function prepareResume(
  path: string,
  options: StopOptions,
): Promise<ResumePoint> {
  checkUnfinished(await readSlimeRun(path));
  const launch = await readLaunchRecord(path);
  if (launch === undefined) return { step: 0, cut: 0 };
  await refuseRunning(path, { ...options, launch });
  await stopRun(path, options);
  const step = await checkpointStep(options.fleet.shellOf(launch.head), {
    directory: launch.checkpoints,
    signal: options.signal,
  });
  return { step, cut: await cutMetrics(path, step) };
}

async function refuseRunning(
  path: string,
  { launch, fleet, signal }: StopOptions & { readonly launch: LaunchRecord },
): Promise<void> {
  const session = launch.sittings.at(-1);
  if (session === undefined || session.state !== null) return;
  const call = { signal };
  const jobs = await fleet.jobsOf(launch, call);
  const job = await jobs.job(session.submissionId, call).catch((error) => {
    if (error instanceof RayError) return undefined;
    throw error;
  });
  if (job === undefined || isFinal(job.state)) return;
  throw new ConfigError(
    `The job "${session.submissionId}" of "${path}" runs (${job.state})`,
    { hint: `follow it by --attach ${path}, or stop it by --stop ${path}` },
  );
}

/**
 * Rollouts that a directory's last checkpoint has, as slime names it: the number of the last one, from 0.
 * @returns 0 where there is none.
 * @throws {HostError} If the host cannot be reached.
 */
export async function checkpointStep(
  shell: Shell,
  { directory, signal }: CallOptions & { readonly directory: string },
): Promise<number> {
  const path = `${directory}/latest_checkpointed_iteration.txt`;
  const { stdout } = await shell.run({
    script: `cat -- ${quote(path)} 2>/dev/null || true`,
  }, { signal });
  const text = stdout.trim();
  return /^\d+$/.test(text) ? Number(text) + 1 : 0;
}
