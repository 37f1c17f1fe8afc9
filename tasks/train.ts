/** `deno task train`: trains a small policy on this machine to serve users with tools, or launches a run with slime. */

import { join } from "node:path";
import { messageOf } from "../env/errors.ts";
import { formatConfig } from "../train/config/config.ts";
import { openTraining, type TrainingPlan } from "../train/open_training.ts";
import { neverLearned } from "../train/runs/learning_signal.ts";
import { stamp } from "../train/runs/run_info.ts";
import { asksModel } from "../env/users/registry.ts";
import { recipeValue } from "../train/config/recipe.ts";
import { readTextIfThere } from "../train/runs/storage.ts";
import { readRunInfo } from "../train/runs/run_reader.ts";
import { runSession, type SessionResult } from "../train/session.ts";
import { configSchema } from "../train/config/config_schema.ts";
import { isSlimeRecipe } from "../train/slime/slime_config.ts";
import { needsNetwork } from "../train/tracking/tracking_schema.ts";
import { slimeSchema } from "../train/slime/slime_schema.ts";
import { advisoriesOf } from "../train/diagnosis/advisories.ts";
import { advisoriesText } from "./_advisory_view.ts";
import { EXIT, main, type TaskContext, type TaskResult } from "./_cli.ts";
import { type Confinement, LOCAL_WORK, READ_ONLY } from "./_confine.ts";
import {
  newSlime,
  slimeAttach,
  slimeDryRun,
  slimeLaunch,
  slimeResume,
  slimeStop,
} from "./_slime_launch.ts";
import {
  helpNotes,
  newConfig,
  recipeKeys,
  recipeOf,
  runToResume,
  type TrainFlags,
  trainFlags,
} from "./_train_flags.ts";
import { trainRecipeSchema } from "./_recipe_schema.ts";
import { runNamed, writesRuns } from "./_shared_flags.ts";
import { linkNote, printTrackers, trackersJson } from "./_tracking_view.ts";
import { dryRun } from "./_train_plan.ts";
import {
  closingText,
  resultJson,
  resultText,
  runText,
  TrainingLine,
  usageText,
} from "./_train_view.ts";

async function run(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  if (flags.jsonSchema) return jsonSchema(context);
  if (flags.printConfig) return await printConfig(flags, context);
  if (flags.dryRun) return await planned(flags, context);
  const slime = await slimeRun(flags);
  if (slime !== undefined) return await slime(flags, context);
  const { terminal, signal } = context;
  const plan = await planOf(flags);
  await using opened = await openTraining(plan, { signal });
  const { run, user, halt } = opened;
  terminal.note(`${run.path}: ${runText(opened)}, ${user.label} user`);
  const live = new TrainingLine(terminal, {
    config: run.config,
    lines: run.metrics,
  });
  terminal.progress("recording expert demonstrations");
  const result = await runSession({
    ...opened,
    signal,
    onLine: (line) => live.add(line),
    onActivity: (activity) => live.show(activity),
    onLink: linkNote(terminal),
  });
  terminal.endProgress();
  if (halt.aborted) terminal.note(messageOf(halt.reason));
  terminal.print(resultText(result, run.metrics));
  terminal.print();
  const used = usageText(run.userUsage());
  if (used !== "") terminal.print(used);
  const advisories = advisoriesOf({
    lines: run.metrics,
    tally: run.tally(),
    dataset: opened.dataset,
  });
  const advice = advisoriesText(advisories);
  if (advice !== "") terminal.print(`${advice}\n`);
  terminal.print(closingText(result, run));
  printTrackers(result.trackers, terminal);
  const exitCode = neverLearned(run.metrics)
    ? EXIT.failed
    : exitCodeOf(result, signal);
  const next = `deno task view ${run.path}`;
  const json = {
    ...resultJson(run, result),
    ...trackersJson(result.trackers),
    advisories,
  };
  return { json, exitCode, next };
}

/**
 * Returns the function that launches, resumes, follows or stops a slime run, as the flags request. Returns `undefined`
 * if the flags concern a run on this machine.
 */
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

/** Prints the JSON Schema of recipes, which covers both trainers. */
function jsonSchema({ terminal }: TaskContext): TaskResult {
  const schema = trainRecipeSchema({ own: configSchema, slime: slimeSchema });
  terminal.print(JSON.stringify(schema, null, 2));
  return { json: schema };
}

/** Prints the `config.yaml` that a run would write. */
async function printConfig(
  flags: TrainFlags,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const recipe = await recipeOf(flags);
  const config = isSlimeRecipe(recipe)
    ? (await newSlime(recipe, flags)).config
    : await newConfig(flags);
  terminal.print(formatConfig(config).trimEnd());
  return { json: { ...config } };
}

/** Prints the plan of a run on this machine or with slime. */
async function planned(
  flags: TrainFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const recipe = await recipeOf(flags);
  if (isSlimeRecipe(recipe)) return await slimeDryRun(recipe, flags, context);
  return await dryRun(await newConfig(flags), context);
}

function exitCodeOf({ outcome }: SessionResult, signal: AbortSignal): number {
  if (outcome === "completed") return EXIT.done;
  return signal.aborted ? EXIT.interrupted : EXIT.failed;
}

async function planOf(flags: TrainFlags): Promise<TrainingPlan> {
  const { resume, name, runs, discard } = flags;
  if (resume !== undefined) {
    return { ...await runToResume(flags), isResumed: true, discard };
  }
  const config = await newConfig(flags);
  const { data, seed } = config;
  const own = `${data.domain}-${data.source}-s${seed}-${stamp(new Date())}`;
  return {
    path: join(runs, name ?? own),
    config,
    isResumed: false,
    numberIfTaken: name === undefined,
  };
}

/**
 * Returns the permissions that a command line needs. API keys, the network and other programs are needed only for
 * trackers, for slime, and for users that are played by models.
 * @throws {ConfigError} If the recipe does not exist or is invalid, or the run to resume does not exist or does not
 * match the flags.
 */
async function confinementOf(flags: TrainFlags): Promise<Confinement> {
  const { dryRun, printConfig, jsonSchema, runs, resume, attach, stop } = flags;
  if (jsonSchema) return { ...READ_ONLY, ...LOCAL_WORK };
  const writes = dryRun || printConfig
    ? READ_ONLY
    : writesRuns(runs, resume, attach, stop);
  return await needsOthers(flags) ? writes : { ...writes, ...LOCAL_WORK };
}

async function needsOthers(flags: TrainFlags): Promise<boolean> {
  const { attach, stop, resume, dryRun, printConfig } = flags;
  if (attach !== undefined || stop !== undefined) return true;
  if (resume !== undefined) return await needsOthersAgain(flags);
  const recipe = await recipeOf(flags);
  if (isSlimeRecipe(recipe)) return !printConfig;
  if (dryRun || printConfig) return false;
  const { user, tracking } = await newConfig(flags);
  return asksModel(user.strategy) || needsNetwork(tracking);
}

/**
 * Checks whether resuming a run needs the network or other programs. The simulated user comes from the run's saved
 * config, because flags cannot change it; flags can change the trackers.
 */
async function needsOthersAgain(flags: TrainFlags): Promise<boolean> {
  const path = await runNamed(flags);
  if ((await readRunInfo(path)).trainer === "slime") return true;
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name) ?? "";
  const strategy = recipeValue({ name, text }, ["user", "strategy"]);
  if (typeof strategy !== "string" || asksModel(strategy)) return true;
  return needsNetwork((await runToResume(flags)).config.tracking);
}

export const task = await main(import.meta, {
  name: "train",
  summary:
    "Train a small policy to serve users with tools, and show its learning curve",
  flags: trainFlags,
  examples: [
    {
      command: "deno task train",
      does: "train on the generated retail world",
    },
    {
      command: "deno task train --seed 2 --set rl.steps=40 --json",
      does:
        "train with another seed and fewer steps, and print the figures as JSON",
    },
    {
      command:
        "deno task train --data tau-bench --tau-bench ../tau-bench --env retail",
      does: "train on the real τ-retail tasks",
    },
    {
      command:
        "deno task train --user llm --user-model gpt-4o-mini --max-tokens 2000000",
      does:
        "train with users played by a model, with the key in OPENAI_API_KEY",
    },
    {
      command: "deno task train --recipe qwen3-4b --dry-run",
      does: "print every command of a slime run on GPUs",
    },
    {
      command: "deno task train --recipe qwen3-4b",
      does: "launch the run with Ray and follow it; Ctrl-C detaches",
    },
    {
      command: "deno task train --attach qwen3-4b-20260102-030405",
      does:
        "follow it again; --stop ends the job and everything started for it",
    },
    {
      command: "deno task train --resume",
      does: "resume the last unfinished run",
    },
  ],
  notes: helpNotes,
  recipeKeys,
  interruptNote:
    "Stopping: a run on this machine is saved, a slime run is detached; press Ctrl-C again to stop immediately",
  confine: ({ flags }) => confinementOf(flags),
  run,
});
