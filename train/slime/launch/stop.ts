/** Stops a launched run, and prepares a run to be launched again from its last checkpoint. */

import { ConfigError, RayError, RunDirError } from "../../../env/errors.ts";
import { retry } from "../../../env/retry.ts";
import type { CallOptions } from "../../../env/types.ts";
import { quote, type Shell } from "../hosts/shell.ts";
import type { Fleet } from "./fleet.ts";
import { stopAll } from "./launch.ts";
import {
  type LaunchRecord,
  type LaunchSession,
  readLaunchRecord,
} from "./launch_record.ts";
import { isFinal, type JobState, type RayJobs } from "./ray_jobs.ts";
import { isHeadGone } from "./ray_cluster.ts";
import { closeSession, followSession, withState } from "./job_session.ts";
import { checkUnfinished } from "../../runs/resume_check.ts";
import { cutMetrics, readSlimeRun, SlimeRun } from "./slime_run.ts";

/** Options for {@linkcode stopRun} and {@linkcode prepareResume}. */
export interface StopOptions extends CallOptions {
  readonly fleet: Fleet;
  readonly onNote?: (text: string) => void;
}

/** The result of stopping a run. */
export interface StopResult {
  readonly submissionId: string | null;
  /** The final state of the job; `null` if the run has no job, or Ray can no longer report the state. */
  readonly state: JobState | null;
  /** Whether the job was still running. */
  readonly stopped: boolean;
  /** The number of episode servers that were stopped. */
  readonly services: number;
  /** The names of the hosts on which Ray was stopped. */
  readonly rayHosts: readonly string[];
}

const STOP_TIMEOUT_MS = 60_000;
const LOCK_TIMEOUT_MS = 60_000;
const POLL_MS = 500;

/**
 * Stops a run's job, then its episode servers, and then Ray if it was started for the run. If another process follows
 * the run, that process stops the servers and Ray. Does nothing if everything has already been stopped.
 * @throws {ConfigError} If the run does not exist, or nothing was launched for it.
 * @throws {RayError} If the job cannot be stopped; everything else then keeps running.
 * @throws {RunDirError} If the run dir is damaged, or another process still uses it a minute after the job has ended.
 */
export async function stopRun(
  path: string,
  options: StopOptions,
): Promise<StopResult> {
  await readSlimeRun(path);
  const launch = await launched(path);
  const call = { signal: options.signal };
  const jobs = await options.fleet.jobsOf(launch, call);
  const session = launch.sessions.at(-1);
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
  if (await hasEnded(launch, fleet)) {
    onNote?.(
      `Ray on ${launch.head}, which was started for this run, has ended; its remaining processes are stopped`,
    );
    return { state: null, stopped: false };
  }
  try {
    const stopped = await jobs.stop(submissionId, call);
    return { state: await finalState(jobs, submissionId, call), stopped };
  } catch (error) {
    if (!(error instanceof RayError)) throw error;
    const isGone = error.kind === "not_found" ||
      launch.ray !== null && error.kind === "unreachable" ||
      await hasEnded(launch, fleet);
    if (!isGone) throw error;
    onNote?.(
      error.kind === "not_found"
        ? `Ray at ${jobs.url} no longer has the job "${submissionId}"`
        : `${error.message}. Ray was started for this run, so its remaining processes are stopped`,
    );
    return { state: null, stopped: false };
  }
}

/**
 * Checks whether the Ray cluster that was started for the run has ended; `false` if none was started for it. If the
 * cluster has ended, its dashboard may not respond for minutes.
 */
async function hasEnded(
  { ray }: LaunchRecord,
  { shellOf }: Fleet,
): Promise<boolean> {
  return ray !== null && await isHeadGone(ray, shellOf);
}

/**
 * Waits for the end of a job whose stop was requested, and returns its final state.
 * @throws {RayError} If it does not end within a minute.
 */
export async function finalState(
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
    `The job "${id}" did not stop within ${
      STOP_TIMEOUT_MS / 1000
    } s (${state})`,
    {
      kind: "timeout",
      hint: "check the job on Ray's dashboard, and stop it again",
    },
  );
}

/** Opens the run once another process that follows it has noticed the end of the job and released the lock. */
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
      onNote?.("Another process follows the run and cleans up"),
  });
}

/** Reads the rest of the job's log, stops everything else, and closes the session. */
async function settle(
  run: SlimeRun,
  options: StopOptions & {
    readonly jobs: RayJobs;
    readonly state: JobState | null;
  },
): Promise<void> {
  const { jobs, state } = options;
  const isOpen = run.launch!.sessions.at(-1)?.state === null;
  if (isOpen && state !== null) {
    const { job } = await followSession({
      ...options,
      run,
      patienceMs: 10_000,
    });
    await run.saveLaunch(withState(run.launch!, job.state));
    await stopAll({ ...options, run }, { jobs });
    return await closeSession(run, job);
  }
  await stopAll({ ...options, run }, { jobs });
  if (!isOpen) return;
  await run.saveLaunch(withState(run.launch!, "STOPPED"));
  await closeSession(run, {
    state: "STOPPED",
    exitCode: null,
    startedMs: null,
    endedMs: null,
  });
}

/** The point from which a run resumes. */
export interface ResumePoint {
  /** The number of rollouts in the last checkpoint; 0 if there is none. */
  readonly step: number;
  /** The number of rollouts that were logged after the checkpoint. The resumed run repeats these rollouts. */
  readonly cut: number;
}

/**
 * Prepares a run to be launched again: checks that its job has ended, stops its remaining processes, and truncates its
 * metrics to the checkpoint that slime resumes from.
 * @throws {ConfigError} If the run has completed, or its job is running.
 * @throws {RayError} If the run's job may be running and cannot be stopped.
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
  const session = launch.sessions.at(-1);
  if (session === undefined || session.state !== null) return;
  if (await hasEnded(launch, fleet)) return;
  const call = { signal };
  const jobs = await fleet.jobsOf(launch, call);
  const job = await jobs.job(session.submissionId, call).catch((error) => {
    if (error instanceof RayError) return undefined;
    throw error;
  });
  if (job === undefined || isFinal(job.state)) return;
  throw new ConfigError(
    `The job "${session.submissionId}" of "${path}" is still running (${job.state})`,
    { hint: `follow it with --attach ${path}, or stop it with --stop ${path}` },
  );
}

/**
 * Returns the number of rollouts in the last checkpoint of a directory. slime records the index of the last rollout,
 * counting from 0.
 * @returns The number; 0 if there is no checkpoint.
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
