/**
 * Slime recipes as one frozen value, checked as a whole before anything is started.
 *
 * @module
 */

import { parse } from "yaml";
import { ConfigError } from "../../env/errors.ts";
import { type Override, type Recipe, resolveBy } from "../config.ts";
import { batchFaults, type BatchShape } from "./batch.ts";
import { type SlimeConfig, slimeSchema } from "./config_schema.ts";
import { MODEL_SHAPES } from "./model_shapes.ts";

/** Whether a recipe is of slime and not of the trainer on this machine. */
export function isSlimeRecipe({ text }: Recipe): boolean {
  try {
    return parse(text)?.trainer === "slime";
  } catch {
    return false; // whoever reads it says what is wrong
  }
}

/**
 * Merges defaults, a recipe and what is set over it.
 * @throws {ConfigError} As `resolveConfig`, and with every fault of what does not fit together.
 */
export function resolveSlime(
  recipe: Recipe,
  overrides: readonly Override[] = [],
): SlimeConfig {
  const config = resolveBy(slimeSchema, recipe, overrides);
  const faults = configFaults(config);
  if (faults.length === 0) return config;
  throw new ConfigError(
    `${recipe.name}: the recipe cannot run:\n${
      faults.map((fault) => `  - ${fault}`).join("\n")
    }`,
  );
}

/** The recipe's arithmetic, by slime's names. */
export function batchShape(config: SlimeConfig): BatchShape {
  const { cluster, engine, parallel, rollout } = config;
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

/** What does not fit, as far as the recipe alone tells; the number of rows is known once data are read. */
function configFaults(config: SlimeConfig): string[] {
  const { cluster, rollout, parallel, model, checkpoint, eval: evals } = config;
  const shape = MODEL_SHAPES[model.name];
  return [
    ...batchFaults(batchShape(config), {
      heads: shape.heads,
      kvGroups: shape.kvGroups,
      layers: shape.layers,
      rows: Number.MAX_SAFE_INTEGER,
    }),
    ...unless(
      cluster.colocate || cluster.rolloutGpus !== null,
      "cluster.rolloutGpus says how many GPUs the engines have, where they are not colocated; set it",
    ),
    ...unless(
      cluster.hosts.length === 0 || cluster.hosts.length === cluster.nodes,
      `cluster.hosts names ${cluster.hosts.length} hosts and cluster.nodes is ${cluster.nodes}; make them agree`,
    ),
    ...unless(
      rollout.groupSize > 1 || rollout.filter === null,
      "rollout.groupSize is 1, and no group of one has a spread of rewards that rollout.filter would keep: it would sample for ever; set rollout.filter to null or a larger group",
    ),
    ...unless(
      rollout.maxResponseLen < rollout.maxContextLen,
      `rollout.maxResponseLen (${rollout.maxResponseLen}) leaves no room for a prompt in rollout.maxContextLen (${rollout.maxContextLen})`,
    ),
    ...unless(
      checkpoint.directory !== model.directory,
      "checkpoint.directory is the model's own directory; choose another",
    ),
    ...unless(
      evals.every === 0 || evals.splits.length > 0,
      "eval.every asks for evaluations and eval.splits names none; name one, or set eval.every to 0",
    ),
    ...unless(
      !parallel.sequence || parallel.tensor > 1,
      "parallel.sequence needs parallel.tensor above 1; set it to false",
    ),
  ];
}

function unless(holds: boolean, fault: string): string[] {
  return holds ? [] : [fault];
}
