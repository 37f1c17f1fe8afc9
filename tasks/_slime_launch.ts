/** `deno task train` with a recipe of slime: launch, `--attach`, `--stop`, `--resume`. */

import { basename, dirname, join } from "node:path";
import { ConfigError, DataError, HostError } from "../env/errors.ts";
import type { Recipe } from "../train/config/config.ts";
import { chooseChecks, preflight } from "../train/slime/doctor/doctor.ts";
import { readNvlink } from "../train/slime/doctor/checks/nvlink.ts";
import { readHosts } from "../train/slime/hosts/hosts_file.ts";
import type { Shell } from "../train/slime/hosts/shell.ts";
import { checkResume } from "../train/runs/resume_check.ts";
import { newRunInfo } from "../train/runs/run_info.ts";
import { latestUnfinished } from "../train/runs/run_reader.ts";
import {
  type ResolvedSlime,
  resolveSlime,
  withDerived,
} from "../train/slime/slime_config.ts";
import type { SlimeConfig } from "../train/slime/slime_schema.ts";
import { type Fleet, openFleet } from "../train/slime/launch/fleet.ts";
import {
  attachRun,
  type LaunchResult,
  launchRun,
} from "../train/slime/launch/launch.ts";
import {
  type LaunchFacts,
  planLaunch,
} from "../train/slime/plan/slime_plan.ts";
import { THIS_MACHINE } from "../train/slime/plan/plan_cluster.ts";
import { figures } from "../train/slime/launch/job_session.ts";
import { readSlimeRun, SlimeRun } from "../train/slime/launch/slime_run.ts";
import { prepareResume, stopRun } from "../train/slime/launch/stop.ts";
import { EXIT, type TaskContext, type TaskResult } from "./_cli.ts";
import { openRecipeHosts } from "./_doctor_hosts.ts";
import { DoctorLine, doctorText } from "./_doctor_view.ts";
import { newSlime, slimeFacts, slimeRunName } from "./_slime_facts.ts";
import { launchText, SlimeLiveLine } from "./_slime_view.ts";
import { runPath } from "./_shared_flags.ts";
import { overrides, type TrainFlags } from "./_train_flags.ts";

/** Launches a new run. */
export async function slimeLaunch(
  recipe: Recipe,
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const slime = newSlime(recipe, flags);
  const { config } = slime;
  await using fleet = await fleetOf(config, flags);
  const name = flags.name ?? slimeRunName(recipe, new Date());
  const path = join(flags.runs, name);
  const facts = await factsOf(slime, { path, sitting: 1, flags, fleet });
  const { fingerprint } = required(facts, config);
  await beHealthy(slime, { flags, context });
  const info = await newRunInfo({
    trainer: "slime",
    seed: config.seed,
    dataset: { name: config.data.source, fingerprint },
    now: new Date(),
  });
  await using run = await SlimeRun.create(path, { config, info });
  return await launch(run, { facts, fromStep: 0, flags, fleet, context });
}

/** Launches a run again, from its last checkpoint. */
export async function slimeResume(
  path: string,
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const record = await readSlimeRun(path);
  const { config } = record;
  const slime = withDerived(config);
  const asked = resolveSlime(
    { name: join(path, "config.yaml"), text: JSON.stringify(config) },
    overrides(flags),
  );
  checkResume(record, { config: asked.config, recipe: flags.recipe });
  await using fleet = await fleetOf(config, flags);
  const { terminal, signal } = context;
  const onNote = (text: string) => terminal.note(text);
  const { step, cut } = await prepareResume(path, { fleet, signal, onNote });
  await using run = await SlimeRun.open(path);
  const sitting = (run.launch?.sittings.length ?? 0) + 1;
  const facts = await factsOf(slime, { path, sitting, flags, fleet });
  checkResume(run, { dataset: required(facts, config) });
  await beHealthy(slime, { flags, context });
  terminal.note(
    step === 0
      ? `${path} has no checkpoint yet: it begins anew`
      : `${path} goes on after rollout ${step}, its last checkpoint${
        cut === 0 ? "" : `; ${cut} rollouts beyond it are done again`
      }`,
  );
  return await launch(run, { facts, fromStep: step, flags, fleet, context });
}

/** Follows a run that was left. */
export async function slimeAttach(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const path = await namedRun(flags.attach, flags);
  const { config } = await readSlimeRun(path);
  await using fleet = await fleetOf(config, flags);
  await using run = await SlimeRun.open(path);
  return await shown(
    run,
    context,
    (events) => attachRun({ run, fleet, ...events }),
  );
}

/** Stops a run and what was started for it. */
export async function slimeStop(
  flags: TrainFlags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const path = await namedRun(flags.stop, flags);
  const { config } = await readSlimeRun(path);
  await using fleet = await fleetOf(config, flags);
  const result = await stopRun(path, {
    fleet,
    signal,
    onNote: (text) => terminal.note(text),
  });
  const { submissionId, state, stopped, services, rayHosts } = result;
  const did = [
    ...stopped ? [`the job "${submissionId}" (${state})`] : [],
    ...services > 0 ? [`${services} servers of episodes`] : [],
    ...rayHosts.length > 0 ? [`Ray on ${rayHosts.join(", ")}`] : [],
  ];
  terminal.print(
    did.length === 0
      ? `${path}: nothing of it runs any more`
      : `${path}: stopped ${
        did.join(", ")
      }. Go on from its last checkpoint with: deno task train --resume ${path}`,
  );
  return { json: { run_dir: path, ...result } };
}

interface Launching {
  readonly facts: LaunchFacts;
  readonly fromStep: number;
  readonly flags: TrainFlags;
  readonly fleet: Fleet;
  readonly context: TaskContext;
}

async function launch(
  run: SlimeRun,
  { facts, fromStep, flags, fleet, context }: Launching,
): Promise<TaskResult> {
  const plan = planLaunch(withDerived(run.config), facts);
  for (const warning of plan.warnings) context.terminal.note(`! ${warning}`);
  const tasks = facts.data?.rows.map(({ split, rows }) => [split, rows]) ?? [];
  return await shown(run, context, (events) =>
    launchRun({
      run,
      plan,
      fleet,
      fromStep,
      evalTasks: Object.fromEntries(tasks),
      beside: flags.beside,
      env: (name) => Deno.env.get(name),
      ...events,
    }));
}

/** Runs what follows a job, with a live line, and says how it ended. */
async function shown(
  run: SlimeRun,
  { terminal, signal }: TaskContext,
  follow: (
    events: Pick<
      Parameters<typeof attachRun>[0],
      "signal" | "onLine" | "onState" | "onNote" | "onLogLines"
    >,
  ) => Promise<LaunchResult>,
): Promise<TaskResult> {
  const live = new SlimeLiveLine(terminal, run);
  const result = await follow({
    signal,
    onLine: (line) => live.add(line),
    onState: (job) => live.state(job),
    onLogLines: (lines) => live.log(lines),
    onNote: (text) => terminal.note(text),
  });
  terminal.endProgress();
  terminal.print(launchText(result, run));
  return { json: toJson(run, result), exitCode: EXIT_CODES[result.outcome] };
}

const EXIT_CODES = {
  completed: EXIT.done,
  failed: EXIT.failed,
  stopped: EXIT.interrupted,
  left: EXIT.interrupted,
} as const;

function toJson(
  run: SlimeRun,
  { outcome, job, failure }: LaunchResult,
): Record<string, unknown> {
  return {
    run_dir: run.path,
    outcome,
    submission_id: run.launch?.sittings.at(-1)?.submissionId ?? null,
    job: job?.state ?? null,
    exit_code: job?.exitCode ?? null,
    failure: failure?.lastError ?? null,
    likely_cause: failure?.symptom?.cause ?? null,
    ...figures(run),
  };
}

async function factsOf(
  slime: ResolvedSlime,
  { path, sitting, flags, fleet }: {
    path: string;
    sitting: number;
    flags: TrainFlags;
    fleet: Fleet;
  },
): Promise<LaunchFacts> {
  const { config } = slime;
  const facts = await slimeFacts(config, {
    run: basename(path),
    sitting,
    runs: dirname(path),
    hosts: hostsFile(flags),
  });
  const head = config.cluster.hosts[0] ?? THIS_MACHINE;
  return { ...facts, nvlink: await nvlinkOf(fleet.shellOf(head), slime) };
}

/** The data, which a launch cannot do without. */
function required(
  { data }: LaunchFacts,
  config: SlimeConfig,
): NonNullable<LaunchFacts["data"]> {
  if (data !== null) return data;
  throw new ConfigError(
    `The recipe trains on ${config.data.source}, whose data are not there`,
    { hint: "pass --tau-bench DIR or set TAU_BENCH_DIR" },
  );
}

async function fleetOf(
  { cluster }: SlimeConfig,
  flags: TrainFlags,
): Promise<Fleet> {
  const env = (name: string) => Deno.env.get(name);
  return openFleet(await readHosts(hostsFile(flags), cluster.hosts), { env });
}

function hostsFile({ hosts }: TrainFlags): string {
  return hosts ?? "hosts.yaml";
}

async function namedRun(
  given: string | true | undefined,
  { runs }: TrainFlags,
): Promise<string> {
  if (typeof given === "string") {
    return runPath(given, runs);
  }
  const path = await latestUnfinished(runs, "train", "slime");
  if (path !== undefined) return path;
  throw new ConfigError(
    `There is no run of slime in "${runs}" that is not completed`,
    { hint: "name one" },
  );
}

/**
 * Looks at all that would cost the run, before GPU hours are spent on it.
 * @throws {HostError} If something fails, and nobody said to go on all the same.
 */
async function beHealthy(
  slime: ResolvedSlime,
  { flags, context }: { flags: TrainFlags; context: TaskContext },
): Promise<void> {
  if (flags.skipDoctor) return;
  const { terminal, signal } = context;
  await using opened = await openRecipeHosts(slime, hostsFile(flags));
  const line = new DoctorLine(terminal, chooseChecks({}));
  const report = await preflight(opened.slime, {
    hosts: opened.shells,
    signal,
    runs: flags.runs,
    onCheck: (check) => line.end(check),
  });
  terminal.endProgress();
  terminal.note(doctorText(report));
  if (report.healthy) return;
  throw new HostError(
    "The run is not launched: fix what fails above, or launch all the same by --skip-doctor",
  );
}

/** `null` where the host does not tell: without GPUs, or out of reach; whatever comes next says so. */
async function nvlinkOf(
  host: Shell,
  { hostGpus: count }: ResolvedSlime,
): Promise<boolean | null> {
  if (count < 2) return false;
  try {
    return await readNvlink(host, { count });
  } catch (error) {
    if (error instanceof HostError || error instanceof DataError) return null;
    throw error;
  }
}
