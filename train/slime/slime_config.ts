/**
 * Resolves slime recipes. The result is a frozen config that has been checked completely before anything is started.
 */

import { ConfigError } from "../../env/errors.ts";
import { type Override, type Recipe, resolveBy } from "../config/config.ts";
import { recipeValue } from "../config/recipe.ts";
import { faultText } from "./fault.ts";
import type { ModelShape } from "./model_shapes.ts";
import { recipeShape, withShapeRead } from "./shapes/recipe_shape.ts";
import {
  type BatchPlan,
  batchPlan,
  type BatchShape,
} from "./plan/batch_shape.ts";
import { recipeFaults } from "./recipe_faults.ts";
import { type SlimeConfig, slimeSchema } from "./slime_schema.ts";

/** Checks whether a recipe is for slime, and not for the embedded trainer. */
export function isSlimeRecipe(recipe: Recipe): boolean {
  return recipeValue(recipe, ["trainer"]) === "slime";
}

/** A recipe with all derived values, for plans, launches and checks. */
export interface ResolvedSlime {
  /** The config, with a value for every key. It is frozen. */
  readonly config: SlimeConfig;
  /** The shape of the model, from the preset that `model.name` names or from `model.shape`. */
  readonly model: ModelShape;
  /** The numbers of GPUs, prompts, samples and optimizer steps, named after slime's flags. */
  readonly batch: BatchShape & BatchPlan;
  /** The number of GPUs that each host offers. */
  readonly hostGpus: number;
}

/**
 * Merges the defaults, a recipe and its overrides, and derives all values.
 * @throws {ConfigError} If a key or value is invalid, or values are not consistent. In the latter case, the message
 * lists all faults.
 * @throws {DataError} If `model.shape` names a script that uses unsupported syntax or does not set `MODEL_ARGS`.
 */
export function resolveSlime(
  recipe: Recipe,
  overrides: readonly Override[] = [],
  { read = Deno.readTextFileSync }: {
    /** Reads the file that `model.shape` names. Default: reads it from this machine. */
    readonly read?: (path: string) => string;
  } = {},
): ResolvedSlime {
  const config = resolveBy(slimeSchema, recipe, overrides);
  const model = withShapeRead(config.model, read);
  const resolved = withDerived(Object.freeze({ ...config, model }));
  const faults = recipeFaults(resolved);
  if (faults.length === 0) return resolved;
  throw new ConfigError(
    `${recipe.name}: the recipe has inconsistent values:\n${
      faults.map((fault) => `  - ${faultText(fault)}`).join("\n")
    }`,
  );
}

/** Derives the values of a config that was already checked, such as the config of an existing run. */
export function withDerived(config: SlimeConfig): ResolvedSlime {
  const { cluster } = config;
  const shape = batchShape(config);
  const batch = { ...shape, ...batchPlan(shape) };
  const hosts = Math.max(cluster.hosts.length, cluster.nodes);
  return {
    config,
    model: recipeShape(config.model),
    batch,
    hostGpus: cluster.hostGpus ?? Math.ceil(batch.gpus / hosts),
  };
}

function batchShape(
  { cluster, engine, parallel, rollout }: SlimeConfig,
): BatchShape {
  return {
    actorNumNodes: cluster.nodes,
    actorNumGpusPerNode: cluster.gpusPerNode,
    rolloutNumGpus: cluster.rolloutGpus ?? cluster.nodes * cluster.gpusPerNode,
    rolloutNumGpusPerEngine: engine.gpus,
    colocate: cluster.colocate,
    tensorParallel: parallel.tensor,
    pipelineParallel: parallel.pipeline,
    contextParallel: parallel.context,
    rolloutBatchSize: rollout.batchSize,
    samplesPerPrompt: rollout.groupSize,
    globalBatchSize: rollout.globalBatchSize,
    overSamplingBatchSize: rollout.overSamplingBatchSize ?? rollout.batchSize,
    microBatchSize: parallel.microBatchSize ?? 1,
  };
}
