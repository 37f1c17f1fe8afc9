/** Slime recipes as one frozen value, checked as a whole before anything is started. */

import { parse } from "yaml";
import { ConfigError } from "../../env/errors.ts";
import { type Override, type Recipe, resolveBy } from "../config/config.ts";
import { batchFaults, batchPlan, type BatchShape } from "./plan/batch_shape.ts";
import { type SlimeConfig, slimeSchema } from "./slime_schema.ts";
import { flagFaults } from "./plan/flag_check.ts";
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

/** GPUs that each host offers. */
export function hostGpus({ cluster, ...rest }: SlimeConfig): number {
  if (cluster.hostGpus !== null) return cluster.hostGpus;
  const { gpus } = batchPlan(batchShape({ cluster, ...rest }));
  return Math.ceil(gpus / Math.max(cluster.hosts.length, cluster.nodes));
}

/** What does not fit, as far as the recipe alone tells; the number of rows is known once data are read. */
function configFaults(config: SlimeConfig): string[] {
  const { heads, kvGroups, layers } = MODEL_SHAPES[config.model.name];
  const rows = Number.MAX_SAFE_INTEGER;
  return [
    ...batchFaults(batchShape(config), { heads, kvGroups, layers, rows }),
    ...clusterFaults(config),
    ...engineFaults(config),
    ...rolloutFaults(config),
    ...trainingFaults(config),
    ...environmentFaults(config),
    ...flagFaults(config.flags),
  ];
}

function clusterFaults(config: SlimeConfig): string[] {
  const { cluster } = config;
  const { hosts, nodes, address, colocate } = cluster;
  const needed = batchPlan(batchShape(config)).gpus;
  const offered = Math.max(hosts.length, nodes) * hostGpus(config);
  return [
    ...unless(
      colocate || cluster.rolloutGpus !== null,
      "cluster.rolloutGpus says how many GPUs the engines have, where they are not colocated; set it",
    ),
    ...unless(
      !colocate || cluster.rolloutGpus === null ||
        cluster.rolloutGpus === nodes * cluster.gpusPerNode,
      `cluster.rolloutGpus is ${cluster.rolloutGpus}, and colocated engines have the ${
        nodes * cluster.gpusPerNode
      } GPUs that train; set it to null`,
    ),
    ...unless(
      hosts.length === 0 || hosts.length === nodes ||
        (!colocate && hosts.length > nodes),
      `cluster.hosts names ${hosts.length} hosts and cluster.nodes is ${nodes}; make them agree`,
    ),
    ...unless(
      new Set(hosts).size === hosts.length,
      "cluster.hosts names a host twice; name each once",
    ),
    ...unless(
      offered >= needed && hostGpus(config) >= cluster.gpusPerNode,
      `the run needs ${needed} GPUs, ${cluster.gpusPerNode} of a host to train, and ${
        Math.max(hosts.length, nodes)
      } × ${
        hostGpus(config)
      } are offered; raise cluster.hostGpus or name more hosts`,
    ),
    ...unless(
      nodes === 1 || hosts.length > 0 || !cluster.start,
      `cluster.nodes is ${nodes} and cluster.hosts names none; name them, the head first, or set cluster.start to false to join a cluster`,
    ),
    ...unless(
      hosts.length > 0 || nodes === 1 || !isLoopback(address),
      `cluster.address ${address} is a place that other hosts cannot reach; give the head's address`,
    ),
    ...unless(
      (cluster.tempDir ?? "").length <= MAX_TEMP_DIR,
      `cluster.tempDir is longer than ${MAX_TEMP_DIR} characters, and the sockets in it have no room for their names; choose a shorter path`,
    ),
  ];
}

function engineFaults({ engine, model }: SlimeConfig): string[] {
  const { heads, kvGroups } = MODEL_SHAPES[model.name];
  const { gpus } = engine;
  return unless(
    heads % gpus === 0 && (kvGroups % gpus === 0 || gpus % kvGroups === 0),
    `engine.gpus ${gpus} does not divide ${heads} heads and ${kvGroups} groups of keys and values; choose a divisor of ${kvGroups}`,
  );
}

/** A socket's path has 107 bytes, and Ray's own part of it takes about 62. */
const MAX_TEMP_DIR = 45;

function rolloutFaults({ rollout, eval: evals, model }: SlimeConfig): string[] {
  const { positions } = MODEL_SHAPES[model.name];
  return [
    ...unless(
      rollout.groupSize > 1 || rollout.filter === null,
      "rollout.groupSize is 1, and no group of one has a spread of rewards that rollout.filter would keep: it would sample for ever; set rollout.filter to null or a larger group",
    ),
    ...unless(
      rollout.maxResponseLen < rollout.maxContextLen,
      `rollout.maxResponseLen (${rollout.maxResponseLen}) leaves no room for a prompt in rollout.maxContextLen (${rollout.maxContextLen})`,
    ),
    ...unless(
      rollout.maxContextLen <= positions,
      `rollout.maxContextLen (${rollout.maxContextLen}) is more than the ${positions} tokens that ${model.name} was made for; lower it`,
    ),
    ...unless(
      rollout.stepsPerRollout === null ||
        rollout.batchSize * rollout.groupSize ===
          rollout.stepsPerRollout * rollout.globalBatchSize,
      `rollout.stepsPerRollout (${rollout.stepsPerRollout}) × rollout.globalBatchSize (${rollout.globalBatchSize}) is not rollout.batchSize × rollout.groupSize (${
        rollout.batchSize * rollout.groupSize
      }); set stepsPerRollout to null, which follows`,
    ),
    ...unless(
      evals.every === 0 || evals.splits.length > 0,
      "eval.every asks for evaluations and eval.splits names none; name one, or set eval.every to 0",
    ),
    ...unless(
      new Set(evals.splits).size === evals.splits.length,
      "eval.splits names a split twice; name each once",
    ),
  ];
}

function trainingFaults(
  { parallel, algorithm, model, checkpoint }: SlimeConfig,
): string[] {
  return [
    ...unless(
      checkpoint.directory !== model.directory &&
        checkpoint.huggingFace !== model.directory,
      "checkpoint.directory or checkpoint.huggingFace is the model's own directory; choose another",
    ),
    ...unless(
      !parallel.sequence || parallel.tensor > 1,
      "parallel.sequence needs parallel.tensor above 1; set it to false",
    ),
    ...unless(
      parallel.recompute !== "selective" ||
        (parallel.recomputeMethod === null &&
          parallel.recomputeLayers === null),
      "parallel.recompute selective takes no method and no number of layers; set recomputeMethod and recomputeLayers to null",
    ),
    ...unless(
      parallel.recompute !== "full" || parallel.recomputeMethod !== null,
      "parallel.recompute full needs parallel.recomputeMethod; set it to uniform",
    ),
    ...unless(
      !algorithm.advantage.startsWith("reinforce_plus_plus") ||
        algorithm.normalizeAdvantages,
      `algorithm.advantage ${algorithm.advantage} needs algorithm.normalizeAdvantages; set it to true`,
    ),
    ...unless(
      !(algorithm.engineLogprobs && algorithm.importanceSampling),
      "algorithm.engineLogprobs and algorithm.importanceSampling exclude each other; choose one",
    ),
  ];
}

/** Variables that the plan sets itself, by the key that says how. */
const OWN_VARIABLES: Readonly<Record<string, string>> = {
  PYTHONPATH: "paths.megatron",
  MASTER_ADDR: "cluster.address",
  NCCL_NVLS_ENABLE: "cluster.nvlink",
};

function environmentFaults({ cluster }: SlimeConfig): string[] {
  return Object.keys(cluster.env).flatMap((name) => [
    ...unless(
      !/(^|_)(KEY|TOKEN|SECRET|PASSWORD)$/i.test(name),
      `cluster.env has ${name}, and whoever reaches Ray's dashboard can read it there; set it in the environment that Ray is started in`,
    ),
    ...unless(
      !(name in OWN_VARIABLES),
      `cluster.env has ${name}, which follows from ${
        OWN_VARIABLES[name]
      }; set that instead`,
    ),
  ]);
}

/** Whether other hosts cannot reach an address. */
export function isLoopback(address: string): boolean {
  return /^(127\.|localhost$|::1$)/.test(address);
}

function unless(holds: boolean, fault: string): string[] {
  return holds ? [] : [fault];
}
