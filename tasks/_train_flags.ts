/** Defines the flags of `deno task train`, and derives a config from them. */

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
import { configSchema, defaultThreads } from "../train/config/config_schema.ts";
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
  benchmarkOverrides,
  runFlags,
  runNamed,
  tau3BenchFlag,
  tauBenchFlag,
  trackOverrides,
  valuesOf,
} from "./_shared_flags.ts";

/** The flags of `deno task train`. A flag with a corresponding recipe key defaults to the value of that key. */
export const trainFlags = z.object({
  ...flagsOf(configSchema) as object,
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  recipe: z.string().optional().meta({
    description:
      "Recipe: a name in train/recipes, or a YAML file; default: the recipe for the data",
    value: "NAME|FILE",
    isPath: recipeFile,
  }),
  ...runFlags,
  dryRun: z.boolean().default(false).meta({
    description:
      "Print the plan (sizes, memory, expected time; for slime, each command and flag) and exit; nothing is written",
  }),
  printConfig: z.boolean().default(false).meta({
    description: "Print the config of the run as YAML and exit",
  }),
  jsonSchema: z.boolean().default(false).meta({
    description: "Print the JSON Schema of recipes, for editors, and exit",
  }),
  hosts: z.string().optional().meta({
    description:
      "For slime recipes: YAML file that describes the hosts in cluster.hosts; default: hosts.yaml",
    value: "FILE",
    isPath: anyPath,
  }),
  attach: z.union([z.literal(true), z.string()]).optional().meta({
    description:
      "Follow the job of a detached slime run; default: the most recent unfinished one",
    value: "RUN",
    isPath: runPathOnly,
    valueOptional: true,
  }),
  stop: z.union([z.literal(true), z.string()]).optional().meta({
    description:
      "Stop a slime run: its job, its episode servers, and Ray if it was started for the run; default: the most recent unfinished one",
    value: "RUN",
    isPath: runPathOnly,
    valueOptional: true,
  }),
  beside: z.boolean().default(false).meta({
    description:
      "For slime recipes: launch even if other jobs use Ray's GPUs, and wait until they are free",
  }),
  skipDoctor: z.boolean().default(false).meta({
    description: "For slime recipes: launch without the doctor's checks",
  }),
  ratesFrom: z.string().min(1).optional().meta({
    description:
      "For slime recipes: base the forecast on the episodes of this run or evaluation",
    value: "RUN",
    isPath: runPathOnly,
  }),
});

/**
 * Returns the help on recipe keys. It lists the keys of the recipe that a command line selects, with their values after
 * the `--set` flags have been applied.
 * @throws {ConfigError} If the recipe does not exist, or a value is invalid.
 */
export async function helpNotes(argv: readonly string[]): Promise<string> {
  const sets = valuesOf(argv, "set").map(parseSet);
  const recipe = await recipeIn(argv);
  const heading =
    `Keys for recipes and --set, with their values in ${recipe.name}:`;
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

/**
 * Returns the keys of the recipe that a command line selects. If that recipe cannot be read, returns the CPU trainer's
 * keys.
 */
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

/** Returns the recipe that an unparsed command line selects. */
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

/** Formats a list of keys and their defaults for `--help`. */
export function keysHelp(
  all: readonly ConfigKey[],
  heading = "Keys for recipes and --set, with their defaults:",
): string {
  const keys = all.map(({ key, value, description }) =>
    `  ${`${key}${shown(value)}`.padEnd(40)} ${description}`
  );
  return `${heading}\n${keys.join("\n")}`;
}

/**
 * Formats a key's value as `=VALUE`, in the form that `--set` accepts. Returns an empty string for an optional key
 * without a value.
 */
function shown(value: unknown): string {
  if (value === undefined) return "";
  return `=${typeof value === "object" ? JSON.stringify(value) : value}`;
}

/** The parsed flags of `deno task train`. */
export type TrainFlags =
  & z.infer<typeof trainFlags>
  & Readonly<Record<string, unknown>>;

/**
 * Returns the recipe that flags name, or the default recipe for their data.
 * @throws {ConfigError} If the recipe does not exist, is not YAML, or extends itself.
 */
export async function recipeOf(
  flags: Partial<Pick<TrainFlags, "recipe" | "data" | "env">>,
): Promise<Recipe> {
  const { recipe, data: source, env: domain } = flags;
  return await readRecipe(
    recipe ?? await defaultRecipe({ source, domain }),
  );
}

/**
 * Returns the config of a new run. If `threads` is 0, which is the default, it becomes the number of cores, but at most
 * 16.
 * @throws {ConfigError} If the recipe does not exist, or if the recipe or a flag is invalid.
 */
export async function newConfig(flags: TrainFlags): Promise<Config> {
  const recipe = await recipeOf(flags);
  refuseSlimeFlags(flags, recipe);
  const { data, threads } = resolveConfig(recipe, overrides(flags));
  const settled: Override[] = [];
  if (threads === 0) {
    // Rounding depends on how work is split, so the number of threads is part of the run.
    const value = defaultThreads();
    settled.push({
      path: ["threads"],
      value,
      origin: "the default number of threads",
    });
  }
  return resolveConfig(recipe, [
    ...overrides(flags),
    ...settled,
    ...benchmarkOverrides(flags, data.source),
  ]);
}

/**
 * Rejects flags that only apply to slime.
 * @throws {ConfigError} If such a flag was passed.
 */
function refuseSlimeFlags({ ratesFrom, hosts }: TrainFlags, recipe: Recipe) {
  const flag = ratesFrom !== undefined
    ? "--rates-from"
    : hosts !== undefined
    ? "--hosts"
    : undefined;
  if (flag === undefined) return;
  throw new ConfigError(
    `${flag} needs a slime recipe, but "${recipe.name}" trains on this machine`,
    { hint: `omit ${flag}, or pass a slime recipe such as --recipe qwen3-4b` },
  );
}

/**
 * Returns the path and the config of the run that `--resume` selects. Flags may change some keys of the config, and
 * these changes are included.
 * @throws {ConfigError} If there is no such run, a flag conflicts with its config, or the run has already completed and
 * the flags add neither a control nor a tracker.
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
      ...benchmarkOverrides(flags, run.config.data.source, {
        selectedBy: null,
      }),
    ],
  );
  checkResume(run, { config, schema: configSchema, recipe: flags.recipe });
  // A completed run can still train a control, or be sent to trackers.
  const isMore = addedControls(run.config, config).length > 0 ||
    flags.track.length > 0;
  if (!isMore) checkUnfinished(run);
  return { path, config };
}

/**
 * Returns the overrides of the recipe that the flags set. They exclude the directory of a benchmark's data, because a
 * run may be resumed after the directory has been moved.
 */
export function overrides(flags: TrainFlags): Override[] {
  return [
    ...flags.set.map(parseSet),
    ...flagOverrides(configSchema, flags),
    ...trackOverrides(flags),
  ];
}
