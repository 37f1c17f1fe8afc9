/**
 * Launches a planned run and follows its job, or attaches to a detached run.
 *
 * Everything that a run starts is recorded in its run dir: Ray and the job before they are started, the episode servers
 * as soon as they are ready. Any later process can therefore follow the run, and can stop exactly what was started for
 * it. Detaching leaves everything running.
 */

import { drawCurve } from "../../runs/run_figure.ts";
import { ConfigError, RayError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { Fleet } from "./fleet.ts";
import type { JobFailure } from "./job_failure.ts";
import { LAUNCH_VERSION, type LaunchRecord } from "./launch_record.ts";
import { writePlanFiles } from "../plan/plan_files.ts";
import type { LaunchPlan } from "../plan/plan_types.ts";
import {
  isFinal,
  type JobRequest,
  type RayJob,
  type RayJobs,
} from "./ray_jobs.ts";
import {
  isHeadGone,
  joinRay,
  type StartedRay,
  startRay,
  stopRay,
} from "./ray_cluster.ts";
import {
  type Services,
  startServices,
  stopServices,
} from "../bridge/run_servers.ts";
import type { ServiceRecord } from "../bridge/server_process.ts";
import { collectEpisodes } from "./collect_episodes.ts";
import {
  localServerSpec,
  serverHost,
  type ServerSpot,
} from "./server_hosts.ts";
import {
  closeSession,
  followSession,
  lastSession,
  type SessionEvents,
  withState,
} from "./job_session.ts";
import type { SlimeRun } from "./slime_run.ts";

/** Options for {@linkcode launchRun} and {@linkcode attachRun}. */
export interface FollowRunOptions extends CallOptions, SessionEvents {
  readonly run: SlimeRun;
  readonly fleet: Fleet;
  /** Reads an environment variable of this process. */
  readonly env: (name: string) => string | undefined;
  /** The interval in milliseconds between requests for the job's state. Default: 3000. */
  readonly pollMs?: number;
}

/** Options for {@linkcode launchRun}. */
export interface LaunchOptions extends FollowRunOptions {
  readonly plan: LaunchPlan;
  /** The number of rollouts in the checkpoint to resume from; 0 to start from the beginning. */
  readonly fromStep: number;
  /** The number of tasks in each split that is evaluated. */
  readonly evalTasks: LaunchRecord["evalTasks"];
  /** Whether to submit the job even if other jobs use GPUs that the run needs. Default: `false`. */
  readonly beside?: boolean;
}

/** The result of launching or attaching to a run. */
export interface LaunchResult {
  readonly outcome: "completed" | "failed" | "stopped" | "detached";
  /** The last state that Ray reported; `null` if Ray never responded. */
  readonly job: RayJob | null;
  readonly failure: JobFailure | null;
}

/**
 * Writes the plan's files, starts the episode servers, joins or starts Ray, submits the job, follows it to its end, and
 * stops what was started. If aborted after the submission, it stops following the job, which continues to run.
 * @throws {ConfigError} If a secret or the dataset is missing.
 * @throws {RayError | HostError} If something does not start. Everything that was already started is then stopped.
 * @throws {RayError} If Ray stops responding while the job is followed. Everything then keeps running.
 * @throws The signal's reason, if it is aborted before the job is submitted. Everything that was already started is
 * then stopped.
 */
export async function launchRun(options: LaunchOptions): Promise<LaunchResult> {
  const { run, plan } = options;
  requireSecrets(options);
  await run.saveLaunch(firstRecord(options));
  await run.writeText("plan.json", planText(plan));
  await run.begin(new Date());
  try {
    await using started = new AsyncDisposableStack();
    const { services, jobs } = await startAll(options, started);
    await submit(options, jobs);
    started.move(); // the job now uses everything that was started
    return await follow(options, { services, jobs });
  } catch (error) {
    if (run.info.outcome === "running" && !isSubmitted(run)) {
      await noteFailedStart(options);
    }
    throw error;
  }
}

/**
 * Follows the job of a detached run, and takes over the supervision of its episode servers.
 * @throws {ConfigError} If the run has no job, or its job has ended.
 * @throws {RayError | HostError} If the run's Ray cluster has ended or does not respond, or an episode server cannot be
 * started.
 */
export async function attachRun(
  options: FollowRunOptions,
): Promise<LaunchResult> {
  const { run, fleet, signal } = options;
  const { launch } = run;
  if (launch === undefined || launch.sessions.length === 0) {
    throw new ConfigError(
      `"${run.path}" has no job to attach to`,
      { hint: `start one with --resume ${run.path}` },
    );
  }
  const { submissionId, state } = lastSession(run);
  if (state !== null) {
    throw new ConfigError(
      `The job "${submissionId}" of "${run.path}" has ended (${state}); its log is in "${run.logs}"`,
      {
        hint: state === "SUCCEEDED"
          ? "read its results in run.json, or start a new run"
          : `continue the run with --resume ${run.path}`,
      },
    );
  }
  await refuseEndedRay(run, fleet);
  const jobs = await fleet.jobsOf(launch, { signal });
  const job = await jobs.job(submissionId).catch(() => undefined);
  const services = job !== undefined && isFinal(job.state)
    ? undefined
    : await serve(options, {
      on: launch.services.map(({ host, url }) => ({
        host,
        address: new URL(url).hostname,
      })),
      adopt: launch.services,
    });
  return await follow(options, { services, jobs });
}

/**
 * If a Ray cluster was started for the run, checks that the cluster's head is still running. If the head has ended, the
 * job has ended too, and waiting for a response would be pointless.
 * @throws {RayError} If the head has ended.
 */
async function refuseEndedRay(
  run: SlimeRun,
  { shellOf }: Pick<Fleet, "shellOf">,
): Promise<void> {
  const { ray, sessions } = run.launch!;
  if (ray === null || !await isHeadGone(ray, shellOf)) return;
  throw new RayError(
    `Ray on ${
      ray.hosts[0]
    }, which was started for this run, has ended, and the job "${
      sessions.at(-1)!.submissionId
    }" with it`,
    {
      kind: "ended",
      hint:
        `continue from the last checkpoint with --resume ${run.path}, or just stop the remaining processes with --stop ${run.path}`,
    },
  );
}

/** Checks whether the job of the last session was submitted and may be running. */
function isSubmitted({ launch }: SlimeRun): boolean {
  return launch !== undefined && launch.sessions.at(-1)?.state === null;
}

function requireSecrets({ plan, env }: LaunchOptions): void {
  const missing = plan.job.secrets.filter(({ name, required }) =>
    required && !env(name)
  );
  if (missing.length === 0) return;
  throw new ConfigError(
    missing.map(({ name, way }) =>
      `${name} is not set, but the job needs it (${way})`
    ).join("\n"),
    {
      hint: `set ${
        missing.map(({ name }) => name).join(" and ")
      } in the environment of this command`,
    },
  );
}

function firstRecord({ run, plan, evalTasks }: LaunchOptions): LaunchRecord {
  return {
    schemaVersion: LAUNCH_VERSION,
    jobsUrl: plan.ray.jobsUrl,
    head: plan.hosts[0]!.name,
    checkpoints: plan.derived.checkpoints,
    evalTasks: { ...evalTasks },
    sessions: run.launch?.sessions ?? [],
    ray: run.launch?.ray ?? null,
    services: run.launch?.services ?? [],
  };
}

/** Formats the plan for `plan.json`, without the contents of its files. */
function planText({ files, ...plan }: LaunchPlan): string {
  const listed = files.map(({ path, on, what }) => ({ path, on, what }));
  return `${JSON.stringify({ ...plan, files: listed }, null, 2)}\n`;
}

async function startAll(
  options: LaunchOptions,
  started: AsyncDisposableStack,
): Promise<{ services: Services; jobs: RayJobs }> {
  const { run, plan, fleet, signal } = options;
  const call = { signal };
  const { source } = run.config.data;
  const head = plan.hosts[0]!.name;
  const jobs = await fleet.jobsOf({ jobsUrl: plan.ray.jobsUrl, head }, call);
  const cluster = { ...options, jobs, shellOf: fleet.shellOf };
  const isJoined = await joinRay(plan.ray, cluster);
  await writePlanFiles(plan, { shellOf: fleet.shellOf, source, ...call });
  started.defer(async () => await save(run, { services: [] }));
  const on = plan.services.flatMap(({ start, listen }) =>
    start && listen ? [{ host: start.host, address: listen.host }] : []
  );
  const services = started.use(await serve(options, { on }));
  if (isJoined) {
    warnOfSecrets(options);
    return { services, jobs };
  }
  const onStart = (ray: StartedRay) => save(run, { ray });
  const ray = await startRay(plan.ray, { ...cluster, onStart });
  started.defer(() => endRay({ ...options, ray }));
  return { services, jobs };
}

/**
 * Reports the secrets that a joined cluster must have been started with, because its environment can no longer be
 * changed.
 */
function warnOfSecrets({ plan, onNote }: LaunchOptions): void {
  for (const { name } of plan.job.secrets) {
    onNote?.(
      `The job needs ${name}; Ray was already running, and must have been started with ${name} set`,
    );
  }
}

async function serve(
  options: FollowRunOptions,
  { on, adopt = [] }: {
    /** The host and address of each server to start; empty if the recipe lists running servers. */
    readonly on: readonly ServerSpot[];
    readonly adopt?: readonly ServiceRecord[];
  },
): Promise<Services> {
  const { run, onNote, signal } = options;
  const started: { services?: Services } = {};
  // slime's router may be on any of the run's hosts, at any of its addresses.
  const engines = await options.fleet.addresses({ signal });
  const here = localServerSpec(run, engines);
  const services = await startServices(run.config, {
    ...here,
    ...(on.length === 0
      ? {}
      : { on: on.map((spot) => serverHost(spot, { ...options, engines })) }),
    adopt,
    signal,
    onEvent({ type, url, message }) {
      onNote?.(
        `Episode server at ${url}: ${type.replace("_", " ")} (${message})`,
      );
      if (type === "ready" && started.services) keep(started.services);
    },
  });
  /** Records the servers again, because a restarted server has a new process id. */
  function keep({ records }: Services): void {
    save(run, { services: [...records] }).catch((error) =>
      onNote?.(String(error))
    );
  }
  await save(run, { services: [...services.records] });
  started.services = services;
  return services;
}

async function save(
  run: SlimeRun,
  part: Partial<LaunchRecord>,
): Promise<void> {
  await run.saveLaunch({ ...run.launch!, ...part });
}

/**
 * Submits the job of a new session. The session is recorded first, so that no job can exist without a record, and
 * removed again if the submission fails and Ray does not have the job.
 */
async function submit(options: LaunchOptions, jobs: RayJobs): Promise<void> {
  const { run, plan, fromStep, signal, onNote } = options;
  const { submissionId, entrypoint, runtimeEnv, metadata } = plan.job;
  const job: JobRequest = {
    submissionId,
    entrypoint,
    metadata,
    envVars: runtimeEnv.env_vars,
  };
  const session = {
    submissionId,
    fromStep,
    submittedAt: new Date().toISOString(),
    state: null,
  };
  const earlier = run.launch!.sessions;
  await save(run, { sessions: [...earlier, session] });
  try {
    await jobs.submit(job, { signal });
    onNote?.(`Submitted the job "${submissionId}" to ${jobs.url}`);
  } catch (error) {
    if (await isThere(jobs, submissionId)) return; // following it reports the error
    await save(run, { sessions: earlier });
    throw error;
  }
}

/**
 * Checks whether Ray has a job. Also returns `false` if Ray does not respond. The signal is not used, because its abort
 * may be the reason for this check.
 */
async function isThere(jobs: RayJobs, id: string): Promise<boolean> {
  try {
    await jobs.job(id);
    return true;
  } catch {
    return false;
  }
}

async function follow(
  options: FollowRunOptions,
  { services, jobs }: { services: Services | undefined; jobs: RayJobs },
): Promise<LaunchResult> {
  const { run, signal } = options;
  let last: RayJob | null = null;
  try {
    const { job, failure } = await followSession({
      ...options,
      jobs,
      onSilence: () => refuseEndedRay(run, options.fleet),
      onState(job) {
        last = job;
        options.onState?.(job);
      },
    });
    await run.saveLaunch(withState(run.launch!, job.state));
    await stopAll(options, { services, jobs });
    await closeSession(run, job);
    return { outcome: OUTCOMES[job.state] ?? "failed", job, failure };
  } catch (error) {
    services?.leave();
    await drawCurve(run).catch(() => {});
    if (signal?.aborted) {
      return { outcome: "detached", job: last, failure: null };
    }
    throw error instanceof RayError && error.kind !== "ended"
      ? leftError(error, run)
      : error;
  }
}

const OUTCOMES: Partial<Record<RayJob["state"], LaunchResult["outcome"]>> = {
  SUCCEEDED: "completed",
  FAILED: "failed",
  STOPPED: "stopped",
};

function leftError(error: RayError, { path }: SlimeRun): RayError {
  return new RayError(
    `${error.message}. Everything that the run started is still running`,
    {
      kind: error.kind,
      cause: error,
      hint:
        `follow the job again with --attach ${path}, or stop it with --stop ${path}`,
    },
  );
}

/**
 * Stops everything that was started for the run, and copies the episodes from other hosts. Ray is kept running if other
 * jobs use it. The run's job must have ended.
 */
export async function stopAll(
  { run, fleet, onNote }: Pick<FollowRunOptions, "run" | "fleet" | "onNote">,
  { services, jobs }: { services?: Services | undefined; jobs: RayJobs },
): Promise<void> {
  const { services: records } = run.launch!;
  await (services === undefined
    ? stopServers(records, { run, fleet })
    : services[Symbol.asyncDispose]());
  await collectEpisodes(run, { fleet, records, onNote });
  await save(run, { services: [] });
  const { ray } = run.launch!;
  if (ray === null) return;
  const isGone = await isHeadGone(ray, fleet.shellOf);
  const others = isGone ? [] : await otherJobs(jobs, run);
  if (others.length > 0) {
    onNote?.(
      `Ray is kept running for other jobs (${
        others.join(", ")
      }); after they have ended, stop Ray with --stop ${run.path}`,
    );
    return;
  }
  await endRay({ run, fleet, ray });
}

/** Stops the servers that an earlier process started. On other hosts, servers that no longer respond are killed. */
async function stopServers(
  records: readonly ServiceRecord[],
  { run, fleet }: Pick<FollowRunOptions, "run" | "fleet">,
): Promise<void> {
  const heard = await stopServices(
    records,
    ({ host, url }) => fleet.reach(host, url).catch(() => url),
  );
  for (const record of records) {
    if (heard.includes(record)) continue;
    const spot = { host: record.host, address: "" };
    const host = serverHost(spot, {
      run,
      fleet,
      env: () => undefined,
      engines: [],
    });
    await host.kill?.(record);
  }
}

async function endRay(
  { run, fleet, ray }: Pick<FollowRunOptions, "run" | "fleet"> & {
    readonly ray: StartedRay;
  },
): Promise<void> {
  await stopRay(ray, fleet.shellOf);
  await save(run, { ray: null });
}

/** Returns the names of the other running jobs on the run's cluster; empty if the cluster does not respond. */
async function otherJobs(jobs: RayJobs, run: SlimeRun): Promise<string[]> {
  const own = new Set(
    run.launch!.sessions.map(({ submissionId }) => submissionId),
  );
  try {
    return (await jobs.list())
      .filter(({ state, submissionId }) =>
        !isFinal(state) && !(submissionId !== null && own.has(submissionId))
      )
      .map(({ submissionId, entrypoint }) => {
        const name = submissionId ?? entrypoint;
        return name === "" ? "a driver" : `"${name}"`;
      });
  } catch {
    return [];
  }
}

async function noteFailedStart({ run, signal }: LaunchOptions): Promise<void> {
  await run.end({
    outcome: signal?.aborted ? "interrupted" : "failed",
    now: new Date(),
    wallS: 0,
    peakRssBytes: null,
  });
}
