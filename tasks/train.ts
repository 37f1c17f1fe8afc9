/** `deno task train`: a small policy learns to serve users with tools, on this machine. */

import { join } from "node:path";
import { messageOf } from "../env/errors.ts";
import { createMeter } from "../env/models/meter.ts";
import type { Dataset, UserFactory } from "../env/types.ts";
import { NO_USAGE } from "../env/models/usage.ts";
import type { Config } from "../train/config/config.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { checkResume } from "../train/runs/resume_check.ts";
import { TrainingDir } from "../train/runs/training_dir.ts";
import { readRunInfo } from "../train/runs/run_reader.ts";
import { runSession, type SessionResult, startRun } from "../train/session.ts";
import { isSlimeRecipe } from "../train/slime/slime_config.ts";
import { openUser } from "../train/config/open_user.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import {
  slimeAttach,
  slimeDryRun,
  slimeLaunch,
  slimeResume,
  slimeStop,
} from "./_slime_launch.ts";
import { stamp } from "../train/runs/run_info.ts";
import {
  helpNotes,
  newConfig,
  recipeOf,
  runNamed,
  runToResume,
  type TrainFlags,
  trainFlags,
} from "./_train_flags.ts";
import { dryRun } from "./_train_plan.ts";
import { closingText, LiveLine, resultText, usageText } from "./_train_view.ts";

async function run(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  if (flags.dryRun) return await planned(flags, context);
  const slime = await slimeRun(flags);
  if (slime !== undefined) return await slime(flags, context);
  const { terminal, signal } = context;
  await using stack = new AsyncDisposableStack();
  const { run, dataset, user, halt } = await open(flags, {
    signal,
    stack,
  });
  terminal.note(
    `${run.path}: ${describe(run.config, dataset)}, ${user.label} user`,
  );
  const live = new LiveLine(terminal, {
    config: run.config,
    lines: run.metrics,
  });
  terminal.progress("the expert shows how it is done");
  const result = await runSession({
    run,
    dataset,
    user,
    signal,
    halt,
    onLine: (line) => live.add(line),
    onActivity: (activity) => live.show(activity),
  });
  terminal.endProgress();
  if (halt.aborted) terminal.note(messageOf(halt.reason));
  terminal.print(resultText(result, run.metrics));
  terminal.print();
  const used = usageText(run.userUsage());
  if (used !== "") terminal.print(used);
  terminal.print(closingText(result, run));
  return { json: toJson(run, result), exitCode: exitCode(result, signal) };
}

/** What to do with a run of slime, where that is what flags mean. */
async function slimeRun(
  flags: TrainFlags,
): Promise<
  ((flags: TrainFlags, context: TaskContext) => Promise<TaskResult>) | undefined
> {
  if (flags.attach !== undefined) return slimeAttach;
  if (flags.stop !== undefined) return slimeStop;
  if (flags.resume !== undefined) {
    const path = await runNamed(flags);
    const { trainer } = await readRunInfo(path);
    return trainer === "slime"
      ? (flags, context) => slimeResume(path, flags, context)
      : undefined;
  }
  const recipe = await recipeOf(flags);
  return isSlimeRecipe(recipe)
    ? (flags, context) => slimeLaunch(recipe, flags, context)
    : undefined;
}

/** The plan of a run on this machine, or of one with slime. */
async function planned(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const recipe = await recipeOf(flags);
  if (isSlimeRecipe(recipe)) return await slimeDryRun(recipe, flags, context);
  return await dryRun(await newConfig(flags), context);
}

function exitCode({ outcome }: SessionResult, signal: AbortSignal): number {
  if (outcome === "completed") return EXIT.done;
  return signal.aborted ? EXIT.interrupted : EXIT.failed;
}

interface World {
  readonly run: TrainingDir;
  readonly dataset: Dataset;
  readonly user: UserFactory;
  /** Aborted once the budget is spent. */
  readonly halt: AbortSignal;
}

/** Opens a run, new or resumed. A user model that does not answer is found out before anything is written. */
async function open(
  flags: TrainFlags,
  { signal, stack }: { signal: AbortSignal; stack: AsyncDisposableStack },
): Promise<World> {
  const earlier = flags.resume === undefined
    ? undefined
    : stack.use(await TrainingDir.resume(await runToResume(flags)));
  const config = earlier?.config ?? await newConfig(flags);
  const dataset = earlier === undefined
    ? await openDataset(config.data)
    : await sameDataset(flags, earlier);
  const meter = createMeter({
    ...budgetOf(flags, config),
    prices: config.prices,
    before: earlier?.userUsage() ?? NO_USAGE,
  });
  const user = await openUser(config, {
    dataset,
    meter,
    signal: AbortSignal.any([signal, meter.signal]),
  });
  const run = earlier ?? stack.use(await create(flags, { config, dataset }));
  return { run, dataset, user, halt: meter.signal };
}

async function create(
  flags: TrainFlags,
  { config, dataset }: { config: Config; dataset: Dataset },
): Promise<TrainingDir> {
  const now = new Date();
  const name = flags.name ?? defaultName(config, now);
  return await startRun(join(flags.runs, name), { config, dataset, now });
}

/** The dataset that a run began with. @throws {RunDirError} If it is another one now. */
async function sameDataset(
  flags: TrainFlags,
  run: TrainingDir,
): Promise<Dataset> {
  const { data } = run.config;
  const directory = flags.tauBench ?? data.directory;
  const dataset = await openDataset({ ...data, directory });
  checkResume(run, { dataset });
  return dataset;
}

/** A resumed run may be given more. */
function budgetOf(
  { maxCost, maxTokens }: TrainFlags,
  { budget }: Config,
): Config["budget"] {
  return {
    maxCost: maxCost ?? budget.maxCost,
    maxTokens: maxTokens ?? budget.maxTokens,
  };
}

/** `retail-generated-s1-20260102-030405`, in UTC. */
function defaultName({ data, seed }: Config, now: Date): string {
  return `${data.domain}-${data.source}-s${seed}-${stamp(now)}`;
}

function describe(
  { seed, data, threads, coldStart, rl }: Config,
  dataset: Dataset,
): string {
  const tasks = dataset.splits.map((split) =>
    `${dataset.tasks(split).length} ${split}`
  );
  return `${data.source} ${data.domain} (${
    tasks.join(", ")
  } tasks), seed ${seed}, ${threads} threads, ` +
    `${coldStart.steps} steps of cold start, ${rl.steps} of RL`;
}

function toJson(
  run: TrainingDir,
  result: SessionResult,
): Record<string, unknown> {
  return {
    pass1_cold_start: result.coldStart.sampled,
    pass1_final: result.final.sampled,
    pass1_cold_start_greedy: result.coldStart.greedy,
    pass1_final_greedy: result.final.greedy,
    pass1_dev: result.dev,
    wall_s: result.wallS,
    peak_rss_bytes: result.peakRssBytes,
    seed: run.config.seed,
    run_dir: run.path,
    outcome: result.outcome,
    data: run.config.data.source,
    steps: result.steps,
    episodes: result.episodes,
    failures: result.failures,
    customer_usage: run.userUsage(),
  };
}

export const task = await main(import.meta, {
  name: "train",
  summary: "Train a small policy to serve users with tools, and show the curve",
  flags: trainFlags,
  examples: [
    {
      command: "deno task train",
      does: "learn on the generated retail world",
    },
    {
      command: "deno task train --seed 2 --set rl.steps=40 --json",
      does: "another seed, fewer steps, figures as JSON",
    },
    {
      command:
        "deno task train --data tau-bench --tau-bench ../tau-bench --env retail",
      does: "learn on the real τ-retail tasks",
    },
    {
      command:
        "deno task train --user llm --user-model gpt-4o-mini --max-tokens 2000000",
      does: "a model plays the users, key in OPENAI_API_KEY",
    },
    {
      command: "deno task train --recipe qwen3-4b --dry-run",
      does: "what training by slime on GPUs would start, line by line",
    },
    {
      command: "deno task train --recipe qwen3-4b",
      does: "launch it over Ray and follow it; Ctrl-C leaves it running",
    },
    {
      command: "deno task train --attach qwen3-4b-20260102-030405",
      does: "follow it again; --stop ends it and what was started for it",
    },
    {
      command: "deno task train --resume",
      does: "go on where the last run was stopped",
    },
  ],
  notes: await helpNotes(Deno.args),
  interruptNote:
    "Ending in order: a run here is saved, a run of slime is left running; Ctrl-C again stops at once",
  run,
});
