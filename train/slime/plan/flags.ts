/**
 * Converts a slime recipe to flags for slime's train.py. The flags come from keys that the schema maps to flags, from
 * the model's shape, from other keys, and from the recipe's `flags`.
 * @see slime `slime/utils/arguments.py` at 624b824.
 */

import { z } from "zod";
import { type ModelShape, shapeWords } from "../model_shapes.ts";
import { groupWords } from "../shapes/argument_words.ts";
import type { ResolvedSlime } from "../slime_config.ts";
import { type SlimeConfig, slimeSchema } from "../slime_schema.ts";
import { trackingFlags, unusedTracking } from "./tracking.ts";

/** A flag of train.py, with its values. */
export interface TrainFlag {
  /** The name with dashes, such as `--num-rollout`. */
  readonly flag: string;
  /** The values; empty for a flag without a value. */
  readonly values: readonly string[];
  /** The key of the recipe that sets the flag, or the keys from which it is derived. */
  readonly from: string;
}

/** The values of flags that depend on the run. `null` omits a flag. */
export interface FlagSettings {
  /** The run's name. */
  readonly run: string;
  /** The directory of the run below `checkpoint.directory`. */
  readonly checkpoints: string;
  /** The directory of the run below `checkpoint.huggingFace`, with the placeholder `{rollout_id}`. */
  readonly huggingFace: string | null;
  readonly promptData: string;
  /** The row files to evaluate, with their names in metrics. */
  readonly evalData: readonly {
    readonly name: string;
    readonly path: string;
  }[];
  /** The path of the file with generate.py's settings. */
  readonly settings: string;
  /** The policy of the router, chosen from the policies that the installed router supports. */
  readonly routerPolicy: string | null;
}

/** Returns the keys whose flags are omitted, because they have no effect with the recipe's other settings. */
function leftOut(config: SlimeConfig): string[] {
  const { eval: evals, parallel, algorithm } = config;
  return [
    ...(evals.every > 0 ? [] : [
      "eval.every",
      "eval.samples",
      "eval.maxResponseLen",
      "eval.topK",
    ]),
    ...(parallel.recompute === null
      ? ["parallel.recomputeMethod", "parallel.recomputeLayers"]
      : []),
    ...(parallel.dynamicBatch
      ? ["parallel.microBatchSize"]
      : ["parallel.maxTokensPerGpu"]),
    ...(algorithm.klLoss
      ? []
      : ["algorithm.klLossCoef", "algorithm.klLossType"]),
    ...unusedTracking(config),
  ];
}

/**
 * Returns all flags for the command line: the flags that the recipe's keys set, in the order of the schema, then the
 * derived flags, the flags for tracking and for the model's shape, and the recipe's `flags`.
 */
export function trainFlags(
  slime: ResolvedSlime,
  settings: FlagSettings,
): TrainFlag[] {
  const { config, model } = slime;
  const omitted = new Set(leftOut(config));
  const own = recipeFlags(config).filter(({ from }) => !omitted.has(from));
  return [
    ...own.map((flag) => settled(flag, settings)).filter(isThere),
    ...derivedFlags(slime, settings),
    ...trackingFlags(config, settings.run),
    ...shapeFlags(model, config.model.shape === null),
    ...furtherFlags(config),
  ];
}

/** Returns the command-line arguments for flags. */
export function flagWords(flags: readonly TrainFlag[]): string[] {
  return flags.flatMap(({ flag, values }) => [flag, ...values]);
}

/** Returns the flags that the recipe's keys set directly. Keys with the value `null` or `false` are omitted. */
function recipeFlags(config: SlimeConfig): TrainFlag[] {
  return keyedFlags().flatMap(({ flag, key }) => {
    const value = key.split(".").reduce<unknown>(
      (node, name) => (node as Record<string, unknown>)[name],
      config,
    );
    return flagOf({ flag, value, from: key });
  });
}

function flagOf(
  { flag, value, from }: { flag: string; value: unknown; from: string },
): TrainFlag[] {
  if (value === null || value === false) return [];
  if (value === true) return [{ flag, values: [], from }];
  const values = (Array.isArray(value) ? value : [value]).map(wordOf);
  return [{ flag, values, from }];
}

/**
 * Formats a value as a command-line argument. `1e-6` is easier to read than `0.000001` and is the same number in
 * Python.
 */
function wordOf(value: unknown): string {
  const isSmall = typeof value === "number" && value !== 0 &&
    Math.abs(value) < 1e-3;
  return isSmall ? value.toExponential() : String(value);
}

/**
 * Replaces the values of a flag if they depend on the run. Returns `undefined` for a flag that is omitted or is added
 * later.
 */
function settled(
  { flag, values, from }: TrainFlag,
  { checkpoints, huggingFace, routerPolicy }: FlagSettings,
): TrainFlag | undefined {
  switch (flag) {
    case "--num-gpus-per-node":
      return undefined; // in derivedFlags, even if the recipe does not set it
    case "--save":
      return { flag, values: [checkpoints], from };
    case "--save-hf":
      return huggingFace === null
        ? undefined
        : { flag, values: [huggingFace], from };
    case "--ref-load":
      return undefined;
    case "--router-policy":
      return routerPolicy === null
        ? undefined
        : { flag, values: [routerPolicy], from };
    default:
      return { flag, values, from };
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined;
}

function derivedFlags(
  { config, hostGpus }: ResolvedSlime,
  settings: FlagSettings,
): TrainFlag[] {
  const { algorithm, cluster, model, eval: evals, seed } = config;
  const one = (flag: string, value: string | number, from: string) => ({
    flag,
    values: [String(value)],
    from,
  });
  return [
    // Without this flag, slime assumes 8 GPUs per host when it places the engines.
    one("--num-gpus-per-node", hostGpus, "cluster.hostGpus"),
    ...(cluster.colocate && cluster.rolloutGpus === null
      ? [one(
        "--rollout-num-gpus",
        cluster.nodes * cluster.gpusPerNode,
        "cluster.nodes × cluster.gpusPerNode",
      )]
      : []),
    one(
      "--ref-load",
      model.reference ?? model.directory,
      model.reference === null ? "model.directory" : "model.reference",
    ),
    one("--load", settings.checkpoints, "checkpoint.directory"),
    one("--seed", seed, "seed"),
    one("--prompt-data", settings.promptData, "data"),
    one("--input-key", "prompt", "data"),
    ...(evals.every > 0
      ? [{
        flag: "--eval-prompt-data",
        values: settings.evalData.flatMap(({ name, path }) => [name, path]),
        from: "eval.splits",
      }]
      : []),
    ...(algorithm.async === "full"
      ? [one(
        "--rollout-function-path",
        "async_rollout.generate_rollout",
        "algorithm.async",
      )]
      : []),
    one("--custom-generate-function-path", "generate.generate", "bridge"),
    one(
      "--custom-reward-post-process-path",
      "generate.normalize_rewards",
      "bridge",
    ),
    one("--custom-rollout-log-function-path", "generate.log_rollout", "bridge"),
    one(
      "--custom-eval-rollout-log-function-path",
      "generate.leave_out_of_eval",
      "bridge",
    ),
    one("--custom-config-path", settings.settings, "bridge"),
  ];
}

function shapeFlags(model: ModelShape, isPreset: boolean): TrainFlag[] {
  return groupWords(shapeWords(model)).map((flag) => ({
    ...flag,
    from: isPreset ? "model.name" : "model.shape",
  }));
}

function furtherFlags(config: SlimeConfig): TrainFlag[] {
  return Object.entries(config.flags).flatMap(([name, value]) =>
    flagOf({ flag: `--${name}`, value, from: `flags.${name}` })
  );
}

/** Returns the keys of the schema that set a flag, in the schema's order. */
export function keyedFlags(): {
  readonly flag: string;
  readonly key: string;
}[] {
  const found: { flag: string; key: string }[] = [];
  function walk(schema: z.ZodObject, path: readonly string[]): void {
    for (const [name, field] of Object.entries(schema.shape)) {
      const here = [...path, name];
      const inner = objectOf(field as z.ZodType);
      const flag = (field as z.ZodType).meta()?.["flag"];
      if (inner !== undefined) walk(inner, here);
      if (typeof flag === "string") found.push({ flag, key: here.join(".") });
    }
  }
  walk(slimeSchema, []);
  return found;
}

function objectOf(schema: z.ZodType): z.ZodObject | undefined {
  if (schema instanceof z.ZodObject) return schema;
  return schema instanceof z.ZodPrefault
    ? objectOf(schema.unwrap() as z.ZodType)
    : undefined;
}
