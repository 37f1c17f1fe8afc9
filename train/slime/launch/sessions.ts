/**
 * The sessions of a slime run, from its recipe or its run dir: launched anew, resumed, attached to, stopped.
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

/** How hosts are reached, and who is told what goes on. */
export interface HostOptions extends CallOptions {
  /** Path of a hosts.yaml. */
  readonly hostsFile: string;
  readonly onNote?: (text: string) => void;
  /** Reads a variable of the environment. Default: `Deno.env.get`. */
  readonly env?: (name: string) => string | undefined;
}

/** Settings of a session that follows a job. */
export interface SessionOptions
  extends HostOptions, Pick<FollowSessionOptions, "pollMs"> {
  /** Called with the run dir before there is a job. @returns Who is told of the job. */
  readonly onRun?: (run: SlimeRun) => Omit<SessionEvents, "onNote">;
}

/** Settings of a session that submits a job. */
export interface LaunchSessionOptions extends SessionOptions {
  /** Directory of the runs, where the doctor looks for an evaluation of the model. */
  readonly runs: string;
  /** Beside jobs that run already, though they hold GPUs that the run needs. Default: false. */
  readonly beside?: boolean;
  /** Who is told what the doctor finds; `null` leaves the doctor out. */
  readonly doctor:
    | Pick<DoctorOptions, "onCheck"> & {
      readonly onReport: (report: DoctorReport) => void;
    }
    | null;
}

/** A session that has ended. */
export interface EndedSession {
  /** Closed; its figures can be read. */
  readonly run: SlimeRun;
  readonly result: LaunchResult;
}

/**
 * Launches a new run and follows it.
 * @param options.path The run dir to make.
 * @throws {ConfigError} If its data are not there, or the run dir is there already.
 * @throws {HostError} If the doctor finds what would cost the run.
 * @throws As {@linkcode launchRun}.
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
  await beHealthy(fleet, options);
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
 * Launches a run again, from its last checkpoint.
 * @param options.overrides What is asked for beside the run's own config; it has to be the same.
 * @throws {ConfigError} If another config is asked for, the run is completed, or its job runs.
 * @throws {RunDirError} If its data are not those that it began with.
 * @throws As {@linkcode launchNewRun}.
 */
export async function resumeRun(
  path: string,
  { overrides, recipe, ...options }: LaunchSessionOptions & {
    readonly overrides: readonly Override[];
    /** A recipe that is named; it is for new runs. */
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
  const session = (run.launch?.sittings.length ?? 0) + 1;
  const facts = await launchFacts(slime, { ...options, path, session, fleet });
  checkResume(run, { dataset: facts.data });
  await beHealthy(fleet, options);
  options.onNote?.(
    step === 0
      ? `${path} has no checkpoint yet: it begins anew`
      : `${path} goes on after rollout ${step}, its last checkpoint${
        cut === 0 ? "" : `; ${cut} rollouts beyond it are done again`
      }`,
  );
  return await launch(run, { ...options, slime, facts, fleet, fromStep: step });
}

/** Follows a run that was detached from. @throws As {@linkcode attachRun}. */
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

/** Stops a run and what was started for it. @throws As {@linkcode stopRun}. */
export async function stopLaunchedRun(
  path: string,
  options: HostOptions,
): Promise<StopResult> {
  const { config } = await readSlimeRun(path);
  await using fleet = await openRecipeFleet(withDerived(config), options);
  return await stopRun(path, { ...options, fleet });
}

/** What a launch goes by: all that a plan does, and the data are there. */
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
    `The recipe trains on ${slime.config.data.source}, whose data are not there`,
    { hint: dataHint(slime.config.data.source) },
  );
}

/** `null` where the head does not tell: without GPUs, or out of reach; whatever comes next says so. */
async function nvlinkOf(
  { shells: [head] }: Fleet,
  { hostGpus: count }: ResolvedSlime,
): Promise<boolean | null> {
  return count < 2 ? false : await ifTold(() => readNvlink(head!, { count }));
}

/** What the router of the head can be started with; likewise. */
async function policiesOf(
  { shells: [head] }: Fleet,
  { config }: ResolvedSlime,
): Promise<readonly string[] | null> {
  const { python } = config.paths;
  return await ifTold(() => readRouterPolicies(head!, { python }));
}

/** `null` where a host does not answer, or not what was asked. */
async function ifTold<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof HostError || error instanceof DataError) return null;
    throw error;
  }
}

/**
 * Looks at all that would cost the run, before GPU hours are spent on it.
 * @throws {HostError} If something fails.
 */
async function beHealthy(
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
  throw new HostError("The run is not launched: the doctor found what fails", {
    hint: "fix what fails above, or launch all the same by --skip-doctor",
  });
}

/** Without the doctor nobody asks the installed slime. @throws {ConfigError} If a flag is in no slime that is known. */
function refuseUnknownFlags({ config }: ResolvedSlime): void {
  const [fault] = unknownFlags(config.flags);
  if (fault === undefined) return;
  throw new ConfigError(fault.found, {
    hint:
      `${fault.fix}; for a flag of another slime leave --skip-doctor out, and the installed slime is asked`,
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
