/**
 * Implements `deno task train` for slime recipes: it plans, launches and resumes runs, follows them (`--attach`) and
 * stops them.
 */

import { join } from "node:path";
import { ConfigError } from "../env/errors.ts";
import type { Recipe } from "../train/config/config.ts";
import { stamp } from "../train/runs/run_info.ts";
import { latestUnfinished } from "../train/runs/run_reader.ts";
import { chooseChecks } from "../train/slime/doctor/doctor.ts";
import { figures } from "../train/slime/launch/job_session.ts";
import {
  attachToRun,
  type EndedSession,
  launchNewRun,
  type LaunchSessionOptions,
  resumeRun,
  type SessionOptions,
  stopLaunchedRun,
} from "../train/slime/launch/sessions.ts";
import { gatherFacts } from "../train/slime/plan/gather_facts.ts";
import { planText } from "../train/slime/plan/plan_text.ts";
import { planLaunch } from "../train/slime/plan/slime_plan.ts";
import {
  type ResolvedSlime,
  resolveSlime,
} from "../train/slime/slime_config.ts";
import { EXIT, type TaskContext, type TaskResult } from "./_cli.ts";
import { DoctorLine, doctorText } from "./_doctor_view.ts";
import { launchText, SlimeLiveLine, stopText } from "./_slime_view.ts";
import { runPath, withBenchmark } from "./_shared_flags.ts";
import { overrides, type TrainFlags } from "./_train_flags.ts";

/** Prints the plan of a slime run. It starts no processes, sends no requests and writes no files. */
export async function slimeDryRun(
  recipe: Recipe,
  flags: TrainFlags,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const slime = await newSlime(recipe, flags);
  const { config } = slime;
  const facts = await gatherFacts(config, {
    runDir: newPath(recipe, flags),
    hostsFile: hostsFile(flags),
    ratesFrom: flags.ratesFrom && runPath(flags.ratesFrom, flags.runs),
  });
  const plan = planLaunch(slime, facts);
  terminal.print(planText(config, plan));
  return { json: { ...plan, config } };
}

/** Launches a new slime run and follows it. */
export async function slimeLaunch(
  recipe: Recipe,
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const ended = await launchNewRun(await newSlime(recipe, flags), {
    ...launchOptions(flags, context),
    path: newPath(recipe, flags),
  });
  return shown(ended, context);
}

/** Resumes a slime run from its last checkpoint and follows it. */
export async function slimeResume(
  path: string,
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const ended = await resumeRun(path, {
    ...launchOptions(flags, context),
    overrides: overrides(flags),
    recipe: flags.recipe,
  });
  return shown(ended, context);
}

/** Follows a detached slime run. */
export async function slimeAttach(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const path = await namedRun("attach", flags);
  return shown(await attachToRun(path, options(flags, context)), context);
}

/** Stops a slime run and everything that was started for it. */
export async function slimeStop(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const path = await namedRun("stop", flags);
  const result = await stopLaunchedRun(path, options(flags, context));
  context.terminal.print(stopText(path, result));
  return { json: { run_dir: path, ...result } };
}

/** Resolves the recipe of a new run, including the directory of its benchmark's data. */
export async function newSlime(
  recipe: Recipe,
  flags: TrainFlags,
): Promise<ResolvedSlime> {
  const slime = resolveSlime(recipe, overrides(flags));
  return await withBenchmark(slime, flags);
}

/** Returns the path of a new run, such as `runs/qwen3-4b-20260102-030405`. The time is in UTC. */
function newPath({ name }: Recipe, flags: TrainFlags): string {
  const base = name.split("/").at(-1)!.replace(/\.ya?ml$/, "")
    .replaceAll(/[^\w.-]+/g, "-");
  return join(flags.runs, flags.name ?? `${base}-${stamp(new Date())}`);
}

async function namedRun(
  flag: "attach" | "stop",
  { runs, [flag]: given }: TrainFlags,
): Promise<string> {
  if (typeof given === "string") return runPath(given, runs);
  const path = await latestUnfinished(runs, "train", "slime");
  if (path !== undefined) return path;
  throw new ConfigError(
    `There is no unfinished slime run in "${runs}"`,
    { hint: `pass the name or the path of a run to --${flag}` },
  );
}

function hostsFile({ hosts = "hosts.yaml" }: TrainFlags): string {
  return hosts;
}

function options(
  flags: TrainFlags,
  { terminal, signal }: TaskContext,
): SessionOptions {
  return {
    hostsFile: hostsFile(flags),
    signal,
    onNote: (text) => terminal.note(text),
    onRun(run) {
      const live = new SlimeLiveLine(terminal, run);
      return {
        onLine: (line) => live.add(line),
        onState: (job) => live.state(job),
        onLogLines: (lines) => live.log(lines),
      };
    },
  };
}

function launchOptions(
  flags: TrainFlags,
  context: TaskContext,
): LaunchSessionOptions {
  const { terminal } = context;
  const line = new DoctorLine(terminal, chooseChecks({}));
  const doctor: LaunchSessionOptions["doctor"] = {
    onCheck: (check) => line.end(check),
    onReport(report) {
      terminal.endProgress();
      terminal.note(doctorText(report));
    },
  };
  return {
    ...options(flags, context),
    runs: flags.runs,
    beside: flags.beside,
    doctor: flags.skipDoctor ? null : doctor,
  };
}

/** Prints the result of following a run, and returns it as the result of the task. */
function shown(
  { run, result }: EndedSession,
  { terminal }: TaskContext,
): TaskResult {
  terminal.endProgress();
  terminal.print(launchText(result, run));
  const { outcome, job, failure } = result;
  const json = {
    run_dir: run.path,
    outcome,
    submission_id: run.launch?.sessions.at(-1)?.submissionId ?? null,
    job: job?.state ?? null,
    exit_code: job?.exitCode ?? null,
    failure: failure?.lastError ?? null,
    likely_cause: failure?.symptom?.cause ?? null,
    ...figures(run),
  };
  return { json, exitCode: EXIT_CODES[outcome] };
}

const EXIT_CODES = {
  completed: EXIT.done,
  failed: EXIT.failed,
  stopped: EXIT.interrupted,
  detached: EXIT.interrupted,
} as const;
