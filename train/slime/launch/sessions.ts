/**
 * Launches, resumes, attaches to and stops slime runs, given a recipe or a run dir.
 *
 *     facts ─▶ doctor ─▶ run dir ─▶ plan ─▶ launch.ts ─▶ result
 */

import { dataHint } from "../../config/open_dataset.ts";
import { join } from "node:path";
import { ConfigError, DataError, HostError } from "../../../env/errors.ts";
import type { CallOptions } from "../../../env/types.ts";
import type { Override } from "../../config/config.ts";
import { newRunInfo } from "../../runs/run_info.ts";
import { checkResume } from "../../runs/resume_check.ts";
import { readNvlink } from "../doctor/checks/nvlink.ts";
import { readRouterPolicies } from "../doctor/host_router.ts";
import {
  type DoctorOptions,
  type DoctorReport,
  preflight,
} from "../doctor/doctor.ts";
import { unknownFlags } from "../plan/flag_check.ts";
import { gatherFacts } from "../plan/gather_facts.ts";
import { planLaunch } from "../plan/slime_plan.ts";
import type { LaunchFacts } from "../plan/plan_types.ts";
import {
  type ResolvedSlime,
  resolveSlime,
  withDerived,
} from "../slime_config.ts";
import { type Fleet, openRecipeFleet, type RecipeFleet } from "./fleet.ts";
import type { FollowSessionOptions, SessionEvents } from "./job_session.ts";
import { attachRun, type LaunchResult, launchRun } from "./launch.ts";
import { readSlimeRun, SlimeRun } from "./slime_run.ts";
import { prepareResume, type StopResult, stopRun } from "./stop.ts";

/** Options for accessing hosts and for reporting progress. */
export interface HostOptions extends CallOptions {
  /** The path of a hosts.yaml. */
  readonly hostsFile: string;
  readonly onNote?: (text: string) => void;
  /** Reads an environment variable. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/** Settings of a session that follows a job. */
export interface SessionOptions
  extends HostOptions, Pick<FollowSessionOptions, "pollMs"> {
  /**
   * Called with the run before its job is submitted, or before the job of a detached run is followed.
   * @returns Callbacks for the job.
   */
  readonly onRun?: (run: SlimeRun) => Omit<SessionEvents, "onNote">;
}

/** Settings of a session that submits a job. */
export interface LaunchSessionOptions extends SessionOptions {
  /** The directory of all runs, where the doctor looks for an evaluation of the base model. */
  readonly runs: string;
  /** Whether to submit the job even if other jobs use GPUs that the run needs. Default: `false`. */
  readonly beside?: boolean;
  /** Callbacks for the doctor's findings; `null` to skip the doctor. */
  readonly doctor:
    | Pick<DoctorOptions, "onCheck"> & {
      readonly onReport: (report: DoctorReport) => void;
    }
    | null;
}

/** A session whose job has ended or is no longer followed. */
export interface EndedSession {
  /** The run. It is closed, but its figures can still be read. */
  readonly run: SlimeRun;
  readonly result: LaunchResult;
}

/**
 * Launches a new run and follows its job.
 * @param options.path The run dir to create.
 * @throws {ConfigError} If the run cannot be launched as configured, for example because the dataset is missing or the
 * run dir exists already.
 * @throws {HostError} If the doctor finds a fault, or an episode server or Ray does not start.
 * @throws {RayError} If Ray does not start, does not have enough free GPUs, or rejects the job.
 * @throws The signal's reason, if it is aborted before the job is submitted.
 */
export async function launchNewRun(
  slime: ResolvedSlime,
  { path, ...options }: LaunchSessionOptions & { readonly path: string },
): Promise<EndedSession> {
  const { config } = slime;
  await using fleet = await openRecipeFleet(slime, options);
  const facts = await launchFacts(slime, {
    ...options,
    path,
    session: 1,
    fleet,
  });
  await requireHealthy(fleet, options);
  const info = await newRunInfo({
    trainer: "slime",
    seed: config.seed,
    dataset: { name: config.data.source, fingerprint: facts.data.fingerprint },
    now: new Date(),
  });
  await using run = await SlimeRun.create(path, { config, info });
  return await launch(run, { ...options, slime, facts, fleet, fromStep: 0 });
}

/**
 * Resumes a run from its last checkpoint.
 * @param options.overrides Config values from flags. They must equal the values in the run's config.
 * @throws {ConfigError} If an override differs from the run's config, a recipe is named, the run has completed, its job
 * is running, or the dataset is missing.
 * @throws {RunDirError} If the run dir is in use or damaged, or the dataset has changed since the run was created.
 * @throws {HostError} If the doctor finds a fault, or an episode server or Ray does not start.
 * @throws {RayError} If Ray does not start, does not have enough free GPUs, or rejects the job.
 */
export async function resumeRun(
  path: string,
  { overrides, recipe, ...options }: LaunchSessionOptions & {
    readonly overrides: readonly Override[];
    /** A recipe that was named by a flag. Naming a recipe is an error, because a run keeps its recipe. */
    readonly recipe?: string | undefined;
  },
): Promise<EndedSession> {
  const record = await readSlimeRun(path);
  const slime = withDerived(record.config);
  const text = JSON.stringify(record.config);
  const name = join(path, "config.yaml");
  const { config } = resolveSlime({ name, text }, overrides);
  checkResume(record, { config, recipe });
  await using fleet = await openRecipeFleet(slime, options);
  const { step, cut } = await prepareResume(path, { ...options, fleet });
  await using run = await SlimeRun.open(path);
  const session = (run.launch?.sessions.length ?? 0) + 1;
  const facts = await launchFacts(slime, { ...options, path, session, fleet });
  checkResume(run, { dataset: facts.data });
  await requireHealthy(fleet, options);
  options.onNote?.(
    step === 0
      ? `${path} has no checkpoint yet, so it starts from the beginning`
      : `${path} resumes after rollout ${step}, its last checkpoint${
        cut === 0
          ? ""
          : `; ${cut} later ${
            cut === 1 ? "rollout is" : "rollouts are"
          } repeated`
      }`,
  );
  return await launch(run, { ...options, slime, facts, fleet, fromStep: step });
}

/**
 * Follows the job of a detached run.
 * @throws {ConfigError} If the run does not exist or has no job, or its job has ended.
 * @throws {RayError | HostError} If the run's Ray cluster has ended or does not respond, or an episode server cannot be
 * started.
 */
export async function attachToRun(
  path: string,
  options: SessionOptions,
): Promise<EndedSession> {
  const { config } = await readSlimeRun(path);
  await using fleet = await openRecipeFleet(withDerived(config), options);
  await using run = await SlimeRun.open(path);
  const events = options.onRun?.(run);
  return {
    run,
    result: await attachRun({
      env: Deno.env.get,
      ...options,
      ...events,
      run,
      fleet,
    }),
  };
}

/**
 * Stops a run's job and everything that was started for the run.
 * @throws {ConfigError} If the run does not exist, or nothing was launched for it.
 * @throws {RayError} If the job cannot be stopped.
 * @throws {RunDirError} If the run dir is damaged, or another process still uses it a minute after the job has ended.
 */
export async function stopLaunchedRun(
  path: string,
  options: HostOptions,
): Promise<StopResult> {
  const { config } = await readSlimeRun(path);
  await using fleet = await openRecipeFleet(withDerived(config), options);
  return await stopRun(path, { ...options, fleet });
}

/** The facts that a launch needs. Unlike a plan, a launch needs the dataset. */
type CompleteFacts = LaunchFacts & {
  readonly data: NonNullable<LaunchFacts["data"]>;
};

async function launchFacts(
  slime: ResolvedSlime,
  { path, session, hostsFile, fleet }: {
    readonly path: string;
    readonly session: number;
    readonly hostsFile: string;
    readonly fleet: Fleet;
  },
): Promise<CompleteFacts> {
  const sources = { runDir: path, session, hostsFile };
  const { data, ...facts } = await gatherFacts(slime.config, sources);
  const [nvlink, routerPolicies] = await Promise.all([
    nvlinkOf(fleet, slime),
    policiesOf(fleet, slime),
  ]);
  if (data !== null) return { ...facts, data, nvlink, routerPolicies };
  throw new ConfigError(
    `The dataset of ${slime.config.data.source}, which the recipe trains on, is missing`,
    { hint: dataHint(slime.config.data.source) },
  );
}

/**
 * Returns whether NVLink connects the head's GPUs; `false` if a host offers only one GPU, and `null` if the answer
 * cannot be determined. Later steps report a missing GPU or an unreachable host.
 */
async function nvlinkOf(
  { shells: [head] }: Fleet,
  { hostGpus: count }: ResolvedSlime,
): Promise<boolean | null> {
  return count < 2 ? false : await orNull(() => readNvlink(head!, { count }));
}

/** Returns the policies that the head's router supports; `null` if they cannot be determined. */
async function policiesOf(
  { shells: [head] }: Fleet,
  { config }: ResolvedSlime,
): Promise<readonly string[] | null> {
  const { python } = config.paths;
  return await orNull(() => readRouterPolicies(head!, { python }));
}

/** Returns the result of `ask`; `null` if a host does not respond, or responds with something unexpected. */
async function orNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HostError || error instanceof DataError) return null;
    throw error;
  }
}

/**
 * Runs the doctor before any GPU hours are spent. If the doctor is skipped, checks only the recipe's additional flags.
 * @throws {HostError} If a check fails.
 * @throws {ConfigError} If the doctor is skipped and a flag is unknown.
 */
async function requireHealthy(
  { slime, shells, servers }: RecipeFleet,
  { doctor, runs, signal }: LaunchSessionOptions,
): Promise<void> {
  if (doctor === null) return refuseUnknownFlags(slime);
  const report = await preflight(slime, {
    ...doctor,
    hosts: shells,
    servers,
    runs,
    signal,
  });
  doctor.onReport(report);
  if (report.healthy) return;
  throw new HostError(
    "The run was not launched: a doctor check failed",
    {
      hint: "fix the failures above, or launch anyway with --skip-doctor",
    },
  );
}

/**
 * Checks the recipe's flags against a list of known flags, because without the doctor the installed slime is not
 * queried.
 * @throws {ConfigError} If a flag is not in the list.
 */
function refuseUnknownFlags({ config }: ResolvedSlime): void {
  const [fault] = unknownFlags(config.flags);
  if (fault === undefined) return;
  throw new ConfigError(fault.found, {
    hint:
      `${fault.fix} Without --skip-doctor, the flags of the installed slime are checked instead`,
  });
}

async function launch(
  run: SlimeRun,
  { slime, facts, env = Deno.env.get, onRun, ...options }:
    & LaunchSessionOptions
    & {
      readonly slime: ResolvedSlime;
      readonly facts: CompleteFacts;
      readonly fleet: Fleet;
      readonly fromStep: number;
    },
): Promise<EndedSession> {
  const plan = planLaunch(slime, facts);
  for (const warning of plan.warnings) options.onNote?.(`! ${warning}`);
  const result = await launchRun({
    ...options,
    ...onRun?.(run),
    run,
    plan,
    env,
    evalTasks: Object.fromEntries(
      facts.data.rows.map(({ split, rows }) => [split, rows]),
    ),
  });
  return { run, result };
}
