/**
 * `deno task evaluate`: how well an agent serves, and why not better.
 *
 * @module
 */

import { join } from "node:path";
import { RunDirError } from "../env/errors.ts";
import { createMeter } from "../env/models/meter.ts";
import type { Dataset } from "../env/types.ts";
import { addUsage } from "../env/usage.ts";
import { configKeys } from "../train/config.ts";
import { openDataset } from "../train/dataset.ts";
import { openCandidate } from "../train/evaluation/candidate.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "../train/evaluation/config.ts";
import {
  evaluate,
  jobsOf,
  reportOf,
  tasksOf,
} from "../train/evaluation/evaluate.ts";
import { EvaluationDir } from "../train/evaluation/evaluation_dir.ts";
import { floorOf } from "../train/evaluation/floor.ts";
import type { EvaluationReport } from "../train/evaluation/report.ts";
import { tauBenchResults } from "../train/evaluation/tau_bench_results.ts";
import { newRunInfo } from "../train/run_info.ts";
import { peakRssBytes } from "../train/session.ts";
import { openCustomers } from "../train/users.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import {
  defaultName,
  type EvaluateFlags,
  evaluateFlags,
  evaluationToResume,
  newEvaluation,
} from "./_evaluate_flags.ts";
import { EvaluationLine, reportText } from "./_evaluate_view.ts";
import { count, duration, table } from "./_text.ts";
import { keysHelp } from "./_train_flags.ts";

async function run(
  flags: EvaluateFlags,
  context: TaskContext,
): Promise<TaskResult> {
  if (flags.dryRun) return await dryRun(flags, context);
  await using opened = await open(flags);
  const { dir, dataset } = opened;
  const complete = await sit(opened, context);
  const report = reportOf(dir, dataset);
  if (flags.export === "tau-bench") {
    await dir.writeText(TAU_BENCH_FILE, tauBenchResults(dir, dataset));
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

interface Opened extends AsyncDisposable {
  readonly dir: EvaluationDir;
  readonly dataset: Dataset;
  /** As the evaluation's own, but for what this sitting may have otherwise. */
  readonly config: EvaluationConfig;
}

async function open(flags: EvaluateFlags): Promise<Opened> {
  const { dir, dataset, config } = flags.resume === undefined
    ? await begin(flags)
    : await resume(flags);
  return {
    dir,
    dataset,
    config,
    [Symbol.asyncDispose]: () => dir[Symbol.asyncDispose](),
  };
}

async function begin(flags: EvaluateFlags) {
  const config = await newEvaluation(flags);
  const dataset = await openDataset(config.data);
  tasksOf(dataset, config);
  const now = new Date();
  const { name, fingerprint } = dataset;
  const info = await newRunInfo({
    kind: "evaluate",
    seed: config.seed,
    dataset: { name, fingerprint },
    now,
  });
  const path = join(flags.runs, flags.name ?? defaultName(config, now));
  return {
    dir: await EvaluationDir.create(path, { config, info }),
    dataset,
    config,
  };
}

async function resume(flags: EvaluateFlags) {
  const { path, config } = await evaluationToResume(flags);
  const directory = flags.tauBench ?? config.data.directory;
  const dataset = await openDataset({ ...config.data, directory });
  const dir = await EvaluationDir.resume(path);
  if (dataset.fingerprint === dir.info.dataset.fingerprint) {
    return { dir, dataset, config };
  }
  await dir[Symbol.asyncDispose]();
  throw new RunDirError(
    `Cannot resume "${path}": its data were others; use the taulab and the data that it began with, or start a new evaluation`,
  );
}

/** One sitting: runs what is missing. @returns Whether the evaluation is complete. */
async function sit(
  { dir, dataset, config }: Opened,
  { terminal, signal }: TaskContext,
): Promise<boolean> {
  const { agent: before, user } = reportOf(dir, dataset).usage;
  const meter = createMeter({
    ...config.budget,
    prices: config.prices as Record<string, { input: number; output: number }>,
    before: addUsage(before, user),
  });
  const stop = AbortSignal.any([signal, meter.signal]);
  await dir.begin(new Date());
  try {
    const world = { dataset, meter, signal: stop };
    await using candidate = await openCandidate(config, world);
    const customers = await openCustomers(config, world);
    const left = jobsOf(dataset, config).length - dir.episodes().length;
    terminal.note(
      `${dir.path}: ${candidate.description}, ${customers.name} customers, ` +
        `${config.data.source} ${config.data.domain} ${config.split}, ${
          count(left)
        } episodes`,
    );
    const line = new EvaluationLine(terminal, left);
    const complete = await evaluate({
      dir,
      dataset,
      agent: candidate.agent,
      customers,
      signal: stop,
      now: () => performance.timeOrigin + performance.now(),
      onEpisode: (episode) => line.add(episode),
    });
    terminal.endProgress();
    if (meter.signal.aborted) terminal.note(meter.signal.reason.message);
    await dir.end({
      ...sittingUsage(),
      outcome: complete ? "completed" : "interrupted",
      result: { ...reportOf(dir, dataset) },
    });
    return complete;
  } catch (error) {
    // What broke is what the person shall read, even if the disk takes no more notes.
    const outcome = signal.aborted ? "interrupted" : "failed";
    await dir.end({ ...sittingUsage(), outcome }).catch(() => {});
    throw error;
  }
}

function sittingUsage() {
  return {
    now: new Date(),
    wallS: performance.now() / 1000,
    peakRssBytes: peakRssBytes(),
  };
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

if (import.meta.main) {
  await main({
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
}
