/** `deno task evaluate`: measures how often an agent solves its tasks, and reports why it fails. */

import { join } from "node:path";
import { ConfigError, messageOf } from "../env/errors.ts";
import { hasExtensions } from "../env/registry.ts";
import type { Dataset } from "../env/types.ts";
import { configKeys } from "../train/config/config.ts";
import { asksModel } from "../env/users/registry.ts";
import { modelName } from "../train/config/open_model.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { sampleOf } from "../train/config/sampled_data.ts";
import { baselineOf } from "../train/evaluation/do_nothing.ts";
import { reportOf, tasksOf } from "../train/evaluation/evaluate.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "../train/evaluation/evaluation_config.ts";
import {
  type EvaluationPlan,
  openEvaluation,
} from "../train/evaluation/evaluation_session.ts";
import type { EvaluationDir } from "../train/evaluation/evaluation_dir.ts";
import type { EvaluationReport } from "../train/evaluation/evaluation_report.ts";
import { inspectLog } from "../train/evaluation/inspect_log.ts";
import { tau3Results } from "../train/evaluation/tau3_results.ts";
import {
  incomparable,
  tau3Submission,
} from "../train/evaluation/tau3_submission.ts";
import { tauBenchResults } from "../train/evaluation/tau_bench_results.ts";
import { table } from "../train/progress/text_table.ts";
import {
  openShardJobs,
  type ShardJobs,
} from "../train/slime/launch/shard_jobs.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { READ_ONLY } from "./_confine.ts";
import {
  defaultName,
  type EvaluateFlags,
  evaluateFlags,
  evaluationToResume,
  newEvaluation,
} from "./_evaluate_flags.ts";
import {
  closingText,
  EvaluationLine,
  reportJson,
  reportText,
  sessionText,
} from "./_evaluate_view.ts";
import { recipeSchema } from "./_recipe_schema.ts";
import { writesRuns } from "./_shared_flags.ts";
import { keysHelp } from "./_train_flags.ts";
import { linkNote, printTrackers, trackersJson } from "./_tracking_view.ts";

/** The name of the file that `--export tau-bench` writes. */
const TAU_BENCH_FILE = "tau_bench_results.json";

/** The name of the result file that `--export tau3` writes. */
const TAU3_FILE = "tau3_results.json";
/** The name of the submission that `--export tau3` writes. */
const SUBMISSION_FILE = "submission.json";

async function run(
  flags: EvaluateFlags,
  context: TaskContext,
): Promise<TaskResult> {
  if (flags.jsonSchema) {
    const schema = recipeSchema(
      evaluationSchema,
      "A recipe of deno task evaluate",
    );
    context.terminal.print(JSON.stringify(schema, null, 2));
    return { json: schema };
  }
  if (flags.dryRun) return await dryRun(flags, context);
  if (isShared(flags)) refuseExtensions(flags);
  const { terminal, signal } = context;
  const plan = await planOf(flags);
  await using place = await placeOf(flags, { ...context, config: plan.config });
  const { runner } = place;
  await using session = await openEvaluation(plan, { signal, runner });
  const { dir, dataset, left, halt } = session;
  terminal.note(sessionText(session));
  const line = new EvaluationLine(terminal, left);
  const { isComplete: complete, stopped, trackers } = await session.run({
    workers: flags.workers ?? flags.ray?.length ?? 1,
    onEpisode: (episode) => line.add(episode),
    onProgress: (progress) => line.addAll(progress),
    onLink: linkNote(terminal),
  });
  terminal.endProgress();
  if (halt.aborted) terminal.note(messageOf(halt.reason));
  for (const why of new Set(stopped)) terminal.note(why);
  const report = reportOf(dir, dataset);
  if (flags.export === "tau-bench") {
    await dir.writeText(TAU_BENCH_FILE, tauBenchResults(dir, dataset));
  }
  if (flags.export === "inspect") {
    const { name, bytes } = inspectLog(dir, { dataset, report });
    await dir.writeText(name, bytes);
    terminal.print(
      `${dir.path}/${name} is a log for Inspect; open it with: inspect view --log-dir ${dir.path}`,
    );
  }
  const refusals = flags.export === "tau3"
    ? await exportTau3(dir, { dataset, report })
    : [];
  for (const why of refusals) {
    terminal.print(`no ${SUBMISSION_FILE} was written: ${why}`);
  }
  terminal.print(reportText(report));
  terminal.print();
  terminal.print(closingText(dir, {
    complete,
    report,
    ...(flags.export === "tau-bench" ? { exported: TAU_BENCH_FILE } : {}),
  }));
  printTrackers(trackers, terminal);
  return {
    json: {
      ...reportJson(dir, { report, complete }),
      ...trackersJson(trackers),
      ...(flags.export === "tau3" ? { incomparable: refusals } : {}),
    },
    next: `deno task view ${dir.path}`,
    ...(complete && report.scored > 0 && refusals.length === 0 ||
        signal.aborted
      ? {}
      : { exitCode: EXIT.failed }),
  };
}

/** Returns whether the episodes run in processes other than this one. */
function isShared({ workers = 1, ray }: EvaluateFlags): boolean {
  return workers > 1 || ray !== undefined;
}

/**
 * With `--ray`, opens the runner that starts the evaluation's processes on Ray. Without it, returns no runner, and the
 * processes run on this machine.
 */
async function placeOf(
  { ray: hosts, rayUrl: url, hosts: hostsFile }: EvaluateFlags,
  { config, terminal, signal }: TaskContext & {
    readonly config: EvaluationConfig;
  },
): Promise<AsyncDisposable & { readonly runner?: ShardJobs }> {
  if (hosts === undefined) {
    return { [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const onNote = (text: string) => terminal.note(text);
  const runner = await openShardJobs(config, {
    ...{ hosts, hostsFile, url, onNote, signal },
  });
  return { runner, [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose]() };
}

/**
 * Rejects `--workers` and `--ray` if extensions are registered.
 * @throws {ConfigError} If a script has registered extensions, because other processes would lack them.
 */
function refuseExtensions({ workers, ray }: EvaluateFlags): void {
  if (!hasExtensions()) return;
  const shared = [
    ...workers === undefined ? [] : ["--workers"],
    ...ray === undefined ? [] : ["--ray"],
  ].join(" and ");
  throw new ConfigError(
    `${shared} cannot be used with --preload: other processes would lack its extensions`,
    { hint: `omit ${shared}` },
  );
}

/**
 * Writes a result file in τ³-bench's format and, if the scores are comparable, a submission.
 * @returns The reasons why the submission was not written; empty if it was.
 */
async function exportTau3(
  dir: EvaluationDir,
  { dataset, report }: { dataset: Dataset; report: EvaluationReport },
): Promise<readonly string[]> {
  await dir.writeText(TAU3_FILE, tau3Results(dir, dataset));
  const reasons = incomparable(dir.config, { dataset, report });
  if (reasons.length === 0) {
    await dir.writeText(SUBMISSION_FILE, tau3Submission(dir, report));
  }
  return reasons;
}

async function planOf(flags: EvaluateFlags): Promise<EvaluationPlan> {
  if (flags.resume === undefined) {
    const config = await newEvaluation(flags);
    const name = flags.name ?? defaultName(config, new Date());
    const numberIfTaken = flags.name === undefined;
    const path = join(flags.runs, name);
    return { path, isResumed: false, config, numberIfTaken };
  }
  const { discard } = flags;
  return { ...await evaluationToResume(flags), isResumed: true, discard };
}

async function dryRun(
  flags: EvaluateFlags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const config = await newEvaluation(flags);
  if (asksModel(config.user.strategy)) {
    modelName(config.user.endpoint, "--user-model");
  }
  const { data, asked } = sampleOf(config.data);
  const dataset = await openDataset(data, { signal });
  const all = asked[config.split];
  const tasks = tasksOf(dataset, {
    ...config,
    tasks: all === undefined ? config.tasks : null,
  });
  const baseline = tasks.reduce(
    (sum, task) => sum + baselineOf(dataset, task),
    0,
  );
  const count = all === undefined ? tasks.length : config.tasks?.length ?? all;
  const plan = {
    data: `${config.data.source} ${config.data.domain} ${config.split}`,
    ...(config.data.policyType === "workflow" ? { policy: "workflow" } : {}),
    tasks: count,
    episodes: count * config.trials,
    agent: config.agent,
    model: config.policy ?? config.model.model ?? "–",
    user: config.data.solo ? "none" : config.user.strategy,
    user_model: config.user.endpoint.model ?? "–",
    seed: config.seed,
    solved_by_baseline: baseline,
    ...(all === undefined ? {} : { baseline_checked_on: tasks.length }),
  };
  const rows = Object.entries(plan).map(([key, value]) => [
    key.replaceAll("_", " "),
    String(value),
  ]);
  terminal.print(table([["plan", ""], ...rows]));
  return { json: plan };
}

export const task = await main(import.meta, {
  name: "evaluate",
  summary:
    "Evaluate an agent: pass^k with confidence intervals, the do-nothing baseline, and the reasons for failures",
  flags: evaluateFlags,
  examples: [
    {
      command: "deno task evaluate",
      does: "evaluate the most recent completed run's policy on its test tasks",
    },
    {
      command:
        "deno task evaluate --data tau-bench --env airline --model gpt-4o --user llm --user-model gpt-4o --trials 4",
      does:
        "reproduce the figures that tau-bench reports, with the key in OPENAI_API_KEY",
    },
    {
      command:
        "deno task evaluate --agent react --model Qwen/Qwen3-4B --provider vllm --max-tokens 2000000",
      does:
        "evaluate a local model that writes its actions as text, within a budget",
    },
    {
      command:
        "deno task evaluate --tau3-bench ../tau3-bench --env telecom --split base --model gpt-4.1 --user llm --user-model gpt-4.1",
      does: "evaluate on tau3-bench, whose simulated users have tools too",
    },
    {
      command:
        "deno task evaluate --tau3-bench ../tau3-bench --env telecom --split base --solo --policy-type workflow --model gpt-4.1",
      does:
        "evaluate the same tasks without a user, with telecom's workflow policy",
    },
    {
      command: "deno task evaluate --agent expert --trials 100 --workers 4",
      does: "run the episodes in four processes that share one run dir",
    },
    {
      command:
        "deno task evaluate --model Qwen/Qwen3-4B --provider sglang --base-url http://10.0.0.11:30000/v1 --ray gpu1,gpu2 --workers 4",
      does: "run the episodes as four jobs on these hosts' Ray cluster",
    },
    {
      command: "deno task evaluate --resume",
      does: "resume the last unfinished evaluation",
    },
  ],
  notes: keysHelp(configKeys(evaluationSchema)),
  recipeKeys: configKeys(evaluationSchema).map(({ key }) => key),
  confine: ({ flags }) =>
    flags.dryRun || flags.jsonSchema
      ? READ_ONLY
      : { ...writesRuns(flags.runs, flags.resume), run: isShared(flags) },
  run,
});
