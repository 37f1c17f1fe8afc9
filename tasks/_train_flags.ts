/** The flags of `deno task train`, and the config and the run dir that they lead to. */

import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import {
  type Config,
  type ConfigKey,
  configKeys,
  type Override,
  parseSet,
  type Recipe,
  resolveConfig,
} from "../train/config/config.ts";
import { flagOverrides, flagsOf } from "../train/config/config_flags.ts";
import { configSchema } from "../train/config/config_schema.ts";
import { addedControls } from "../train/control.ts";
import { checkResume, checkUnfinished } from "../train/runs/resume_check.ts";
import { readRun } from "../train/runs/training_dir.ts";
import { isSlimeRecipe, resolveSlime } from "../train/slime/slime_config.ts";
import { slimeSchema } from "../train/slime/slime_schema.ts";
import { keyedFlags } from "../train/slime/plan/flags.ts";
import {
  anyPath,
  fromCaller,
  recipeFile,
  runPathOnly,
} from "./_caller_paths.ts";
import { defaultRecipe, readRecipe } from "./_recipes.ts";
import {
  runFlags,
  runNamed,
  tau3BenchFlag,
  tau3BenchOverrides,
  tauBenchFlag,
  tauBenchOverride,
  trackOverrides,
} from "./_shared_flags.ts";

/** The flags. What is left out is as the recipe says. */
export const trainFlags = z.object({
  ...flagsOf(configSchema) as object,
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  recipe: z.string().optional().meta({
    description: "A recipe of train/recipes by its name, or a YAML file",
    value: "FILE",
    isPath: recipeFile,
  }),
  ...runFlags,
  dryRun: z.boolean().default(false).meta({
    description:
      "Print the plan (sizes, memory, expected time; of slime each command and flag) and write nothing",
  }),
  printConfig: z.boolean().default(false).meta({
    description: "Print the config that the run would have, as YAML, and stop",
  }),
  jsonSchema: z.boolean().default(false).meta({
    description: "Print the JSON Schema of recipes, for editors, and stop",
  }),
  hosts: z.string().optional().meta({
    description:
      "Of slime recipes: where cluster.hosts are described; default: hosts.yaml",
    value: "FILE",
    isPath: anyPath,
  }),
  attach: z.union([z.literal(true), z.string()]).optional().meta({
    description:
      "Follow the job of a run of slime that was left, by default the last",
    value: "RUN",
    isPath: runPathOnly,
    valueOptional: true,
  }),
  stop: z.union([z.literal(true), z.string()]).optional().meta({
    description:
      "Stop a run of slime: its job by id, then its episode servers, then Ray where it was started for it",
    value: "RUN",
    isPath: runPathOnly,
    valueOptional: true,
  }),
  beside: z.boolean().default(false).meta({
    description:
      "Launch on a Ray whose GPUs other jobs hold, and wait for them",
  }),
  skipDoctor: z.boolean().default(false).meta({
    description: "Launch without looking first at what would cost the run",
  }),
  ratesFrom: z.string().min(1).optional().meta({
    description:
      "Of slime recipes: the run or evaluation whose episodes the forecast is based on",
    value: "RUN",
    isPath: runPathOnly,
  }),
});

/**
 * What `--help` says of recipes: each key with the value that a run of this command line would have.
 * @throws {ConfigError} If a recipe is named and there is none, or a value is wrong.
 */
export async function helpNotes(argv: readonly string[]): Promise<string> {
  const sets = valuesOf(argv, "set").map(parseSet);
  const recipe = await recipeIn(argv);
  const heading =
    `Keys of a recipe and of --set, with their values in ${recipe.name}:`;
  if (isSlimeRecipe(recipe)) {
    const flags = new Map(keyedFlags().map(({ key, flag }) => [key, flag]));
    const { config } = resolveSlime(recipe, sets);
    const keys = configKeys(slimeSchema, config).map((one) => {
      const flag = flags.get(one.key);
      const suffix = flag === undefined ? "" : ` (${flag})`;
      return { ...one, description: `${one.description}${suffix}` };
    });
    return keysHelp(keys, heading);
  }
  const keys = configKeys(configSchema, resolveConfig(recipe, sets));
  return `${
    keysHelp(keys, heading)
  }\n\nKeys of slime recipes: deno task train --recipe qwen3-4b --help`;
}

/** The keys of the recipe that a command line names; the CPU trainer's where that cannot be read. */
export async function recipeKeys(argv: readonly string[]): Promise<string[]> {
  return (await slimeKeys(argv).catch(() => undefined) ?? configKeys())
    .map(({ key }) => key);
}

async function slimeKeys(
  argv: readonly string[],
): Promise<ConfigKey[] | undefined> {
  const recipe = await recipeIn(argv);
  return isSlimeRecipe(recipe)
    ? configKeys(slimeSchema, resolveSlime(recipe).config)
    : undefined;
}

/** The recipe of a command line that is not parsed. */
async function recipeIn(argv: readonly string[]): Promise<Recipe> {
  const given = valuesOf(argv, "recipe").at(-1);
  return await recipeOf({
    recipe: given !== undefined && recipeFile(given)
      ? fromCaller(given)
      : given,
    data: valuesOf(argv, "data").at(-1),
    env: valuesOf(argv, "env").at(-1),
  });
}

/** The values of a flag, as `--set rl.steps=4` or `--set=rl.steps=4`. */
function valuesOf(argv: readonly string[], flag: string): string[] {
  return argv.flatMap((word, i) => {
    if (word === `--${flag}`) return argv.slice(i + 1, i + 2);
    const prefix = `--${flag}=`;
    return word.startsWith(prefix) ? [word.slice(prefix.length)] : [];
  });
}

/** Keys with their defaults for `--help`. */
export function keysHelp(
  all: readonly ConfigKey[],
  heading = "Keys of a recipe and of --set, with their defaults:",
): string {
  const keys = all.map(({ key, value, description }) =>
    `  ${`${key}${shown(value)}`.padEnd(40)} ${description}`
  );
  return `${heading}\n${keys.join("\n")}`;
}

/** A default as `--set` takes it; none for a key that may be left out. */
function shown(value: unknown): string {
  if (value === undefined) return "";
  return `=${typeof value === "object" ? JSON.stringify(value) : value}`;
}

/** The flags as parsed. */
export type TrainFlags =
  & z.infer<typeof trainFlags>
  & Readonly<Record<string, unknown>>;

/** The recipe that flags name, or else mean. @throws {ConfigError} If there is none. */
export async function recipeOf(
  flags: Partial<Pick<TrainFlags, "recipe" | "data" | "env">>,
): Promise<Recipe> {
  const { recipe, data: source, env: domain } = flags;
  return await readRecipe(
    recipe ?? await defaultRecipe({ source, domain }),
  );
}

/**
 * The config of a new run.
 * @throws {ConfigError} If the recipe cannot be found or anything in it is wrong.
 */
export async function newConfig(flags: TrainFlags): Promise<Config> {
  const recipe = await recipeOf(flags);
  refuseSlimeFlags(flags, recipe);
  const { data, threads } = resolveConfig(recipe, overrides(flags));
  const settled: Override[] = [];
  if (threads === 0) {
    // Sums depend on how work is split, so what "one a core" comes to is part of the run.
    const value = navigator.hardwareConcurrency;
    settled.push({ path: ["threads"], value, origin: "the number of cores" });
  }
  return resolveConfig(recipe, [
    ...overrides(flags),
    ...settled,
    ...tauBenchOverride(flags.tauBench, data.source),
    ...tau3BenchOverrides(flags.tau3Bench, data.source),
  ]);
}

/** @throws {ConfigError} If a flag says nothing of training on this machine. */
function refuseSlimeFlags({ ratesFrom, hosts }: TrainFlags, recipe: Recipe) {
  const flag = ratesFrom !== undefined
    ? "--rates-from"
    : hosts !== undefined
    ? "--hosts"
    : undefined;
  if (flag === undefined) return;
  throw new ConfigError(
    `${flag} is for recipes of slime, and ${recipe.name} trains on this machine`,
    { hint: "leave it out, or name another --recipe" },
  );
}

/**
 * The run that `--resume` means, and its config with what the flags may change.
 * @throws {ConfigError} If there is none, it is completed, or flags ask for something else than its config.
 */
export async function runToResume(
  flags: TrainFlags,
): Promise<{ path: string; config: Config }> {
  const path = await runNamed(flags);
  const run = await readRun(path);
  const config = resolveConfig(
    { name: join(path, "config.yaml"), text: JSON.stringify(run.config) },
    [
      ...overrides(flags),
      ...tauBenchOverride(flags.tauBench, run.config.data.source),
      ...tau3BenchOverrides(flags.tau3Bench, run.config.data.source),
    ],
  );
  checkResume(run, { config, schema: configSchema, recipe: flags.recipe });
  // RL that is completed can still be given a control, or be sent to trackers.
  const isMore = addedControls(run.config, config).length > 0 ||
    flags.track.length > 0;
  if (!isMore) checkUnfinished(run);
  return { path, config };
}

/** What flags set over the recipe. Where a benchmark's data are is no part of it: they may have moved. */
export function overrides(flags: TrainFlags): Override[] {
  return [
    ...flags.set.map(parseSet),
    ...flagOverrides(configSchema, flags),
    ...trackOverrides(flags),
  ];
}
