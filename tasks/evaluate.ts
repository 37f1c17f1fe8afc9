/** `deno task evaluate`: how well an agent serves, and why not better. */

import { join } from "node:path";
import { messageOf } from "../env/errors.ts";
import { createMeter } from "../env/models/meter.ts";
import type { Dataset, UserFactory } from "../env/types.ts";
import { addUsage, NO_USAGE } from "../env/models/usage.ts";
import { configKeys } from "../train/config/config.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import {
  type Candidate,
  openCandidate,
} from "../train/evaluation/candidate.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "../train/evaluation/evaluation_config.ts";
import {
  evaluate,
  jobsOf,
  reportOf,
  tasksOf,
} from "../train/evaluation/evaluate.ts";
import { EvaluationDir } from "../train/evaluation/evaluation_dir.ts";
import { floorOf } from "../train/evaluation/do_nothing.ts";
import type { EvaluationReport } from "../train/evaluation/evaluation_report.ts";
import { tauBenchResults } from "../train/evaluation/tau_bench_results.ts";
import { checkResume } from "../train/runs/resume_check.ts";
import { newRunInfo } from "../train/runs/run_info.ts";
import { openUser } from "../train/config/open_user.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import {
  defaultName,
  type EvaluateFlags,
  evaluateFlags,
  evaluationToResume,
  newEvaluation,
} from "./_evaluate_flags.ts";
import { EvaluationLine, reportText } from "./_evaluate_view.ts";
import { count, duration } from "../train/progress/amounts.ts";
import { table } from "../train/progress/table.ts";
import { keysHelp } from "./_train_flags.ts";

async function run(
  flags: EvaluateFlags,
  context: TaskContext,
): Promise<TaskResult> {
  if (flags.dryRun) return await dryRun(flags, context);
  const plan = flags.resume === undefined
    ? await newPlan(flags)
    : await resumedPlan(flags);
  await using stack = new AsyncDisposableStack();
  const earlier = plan.path === undefined
    ? undefined
    : stack.use(await resume(plan.path, plan.dataset));
  const meter = createMeter({
    ...plan.config.budget,
    prices: plan.config.prices,
    before: earlier === undefined ? NO_USAGE : usageOf(earlier, plan.dataset),
  });
  const signal = AbortSignal.any([context.signal, meter.signal]);
  const world = { dataset: plan.dataset, meter, signal };
  // Who does not answer is found out before anything is written.
  const candidate = stack.use(await openCandidate(plan.config, world));
  const user = await openUser(plan.config, world);
  const dir = earlier ?? stack.use(await create(flags, plan));
  const session = { ...plan, dir, candidate, user, signal };
  const complete = await runSession(session, context);
  if (meter.signal.aborted) {
    context.terminal.note(messageOf(meter.signal.reason));
  }
  const report = reportOf(dir, plan.dataset);
  if (flags.export === "tau-bench") {
    const text = tauBenchResults(dir, plan.dataset);
    await dir.writeText(TAU_BENCH_FILE, text);
  }
  context.terminal.print(reportText(report));
  context.terminal.print();
  context.terminal.print(closingText(dir, { flags, complete, report }));
  return {
    json: toJson(dir, { report, complete }),
    ...(complete || context.signal.aborted ? {} : { exitCode: EXIT.failed }),
  };
}

const TAU_BENCH_FILE = "tau_bench_results.json";

interface Plan {
  /** The run dir, where an evaluation is resumed. */
  readonly path?: string;
  /** As the evaluation's own, but for what a session may change. */
  readonly config: EvaluationConfig;
  readonly dataset: Dataset;
}

async function newPlan(flags: EvaluateFlags): Promise<Plan> {
  const config = await newEvaluation(flags);
  const dataset = await openDataset(config.data);
  tasksOf(dataset, config);
  return { config, dataset };
}

async function resumedPlan(flags: EvaluateFlags): Promise<Plan> {
  const { path, config } = await evaluationToResume(flags);
  const directory = flags.tauBench ?? config.data.directory;
  return {
    path,
    config,
    dataset: await openDataset({ ...config.data, directory }),
  };
}

async function create(
  flags: EvaluateFlags,
  { config, dataset: { name, fingerprint } }: Plan,
): Promise<EvaluationDir> {
  const now = new Date();
  const info = await newRunInfo({
    kind: "evaluate",
    seed: config.seed,
    dataset: { name, fingerprint },
    now,
  });
  const path = join(flags.runs, flags.name ?? defaultName(config, now));
  return await EvaluationDir.create(path, { config, info });
}

async function resume(path: string, dataset: Dataset): Promise<EvaluationDir> {
  const dir = await EvaluationDir.resume(path);
  try {
    checkResume(dir, { dataset });
    return dir;
  } catch (error) {
    await dir[Symbol.asyncDispose]();
    throw error;
  }
}

function usageOf(dir: EvaluationDir, dataset: Dataset) {
  const { agent, user } = reportOf(dir, dataset).usage;
  return addUsage(agent, user);
}

interface Session extends Plan {
  readonly dir: EvaluationDir;
  readonly candidate: Candidate;
  readonly user: UserFactory;
  readonly signal: AbortSignal;
}

/** Runs what is missing. @returns Whether the evaluation is complete. */
async function runSession(
  { dir, config, dataset, candidate, user, signal }: Session,
  { terminal }: TaskContext,
): Promise<boolean> {
  const { outcome } = await dir.session(async () => {
    const left = jobsOf(dataset, config).length - dir.episodes().length;
    terminal.note(
      `${dir.path}: ${candidate.description}, ${user.label}, ` +
        `${config.data.source} ${config.data.domain} ${config.split}, ${
          count(left)
        } episodes`,
    );
    const line = new EvaluationLine(terminal, left);
    const isComplete = await evaluate({
      dir,
      dataset,
      agent: candidate.agent,
      user,
      signal,
      concurrency: config.rollout.concurrency,
      now: () => performance.timeOrigin + performance.now(),
      onEpisode: (episode) => line.add(episode),
    });
    terminal.endProgress();
    return { isComplete, result: reportOf(dir, dataset) };
  }, { signal });
  return outcome === "completed";
}

function closingText(
  dir: EvaluationDir,
  { flags, complete, report }: {
    flags: EvaluateFlags;
    complete: boolean;
    report: EvaluationReport;
  },
): string {
  const scored = `${count(report.scored)} of ${count(report.planned)} episodes`;
  if (!complete) {
    return `Stopped after ${scored}; go on with: deno task evaluate --resume ${dir.path}`;
  }
  const seconds = report.meanSeconds;
  const exported = flags.export === undefined
    ? ""
    : `; ${TAU_BENCH_FILE} is tau-bench's`;
  return `${dir.path}: ${scored} scored, ${
    report.meanTurns.toFixed(1)
  } turns and ${duration(seconds)} an episode${exported}`;
}

function toJson(
  dir: EvaluationDir,
  { report, complete }: { report: EvaluationReport; complete: boolean },
): Record<string, unknown> {
  const { config } = dir;
  return {
    run_dir: dir.path,
    outcome: complete ? "completed" : "interrupted",
    env: config.data.domain,
    data: config.data.source,
    split: config.split,
    trials: config.trials,
    seed: config.seed,
    agent: config.agent,
    model: config.policy ?? config.model.model,
    user: config.user.strategy,
    user_model: config.user.endpoint.model,
    ...report,
  };
}

async function dryRun(
  flags: EvaluateFlags,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const config = await newEvaluation(flags);
  const dataset = await openDataset(config.data);
  const tasks = tasksOf(dataset, config);
  const floor = tasks.reduce((sum, task) => sum + floorOf(dataset, task), 0);
  const plan = {
    data: `${config.data.source} ${config.data.domain} ${config.split}`,
    tasks: tasks.length,
    episodes: tasks.length * config.trials,
    agent: config.agent,
    model: config.policy ?? config.model.model ?? "–",
    user: config.user.strategy,
    user_model: config.user.endpoint.model ?? "–",
    seed: config.seed,
    solved_by_doing_nothing: floor,
  };
  const rows = Object.entries(plan).map(([key, value]) => [
    key.replaceAll("_", " "),
    String(value),
  ]);
  terminal.print(table([["what", "value"], ...rows]));
  return { json: plan };
}

export const task = await main(import.meta, {
  name: "evaluate",
  summary:
    "Evaluate an agent: pass^k with intervals, beside doing nothing, with the reasons",
  flags: evaluateFlags,
  examples: [
    {
      command: "deno task evaluate",
      does: "the policy of the last completed run, on its test tasks",
    },
    {
      command:
        "deno task evaluate --data tau-bench --env airline --model gpt-4o --user llm --user-model gpt-4o --trials 4",
      does: "tau-bench's own numbers, key in OPENAI_API_KEY",
    },
    {
      command:
        "deno task evaluate --agent react --model Qwen/Qwen3-4B --provider vllm --max-tokens 2000000",
      does: "a local model that writes its actions, within a budget",
    },
    {
      command: "deno task evaluate --resume",
      does: "go on where the last evaluation was stopped",
    },
  ],
  notes: keysHelp(configKeys(evaluationSchema)),
  run,
});
