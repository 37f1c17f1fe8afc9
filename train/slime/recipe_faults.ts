/** Finds faults that would keep a slime recipe from running, before anything is started. */

import { isLoopback } from "../../env/serve/loopback.ts";
import { THIS_HOST } from "./hosts/hosts_file.ts";
import { type Fault, unless } from "./fault.ts";
import type { ModelShape } from "./model_shapes.ts";
import { isAsync } from "./plan/async_mode.ts";
import { batchFaults } from "./plan/batch_shape.ts";
import { flagFaults } from "./plan/flag_check.ts";
import { groupWords } from "./shapes/argument_words.ts";
import type { ResolvedSlime } from "./slime_config.ts";
import type { SlimeConfig } from "./slime_schema.ts";

/** Returns the faults that can be found in the recipe alone, without the dataset and the hosts. */
export function recipeFaults(resolved: ResolvedSlime): Fault[] {
  const { config, model, batch } = resolved;
  return [
    ...batchFaults(batch, model),
    ...clusterFaults(resolved),
    ...engineFaults(config.engine, model),
    ...expertFaults(resolved),
    ...shapeFaults(resolved),
    ...rolloutFaults(config, model),
    ...trainingFaults(config),
    ...environmentFaults(config),
    ...bridgeFaults(config),
    ...flagFaults(config.flags),
  ];
}

function clusterFaults(
  { config, batch: { gpus: needed }, hostGpus }: ResolvedSlime,
): Fault[] {
  const { cluster } = config;
  const { hosts, nodes, address, colocate } = cluster;
  const count = Math.max(hosts.length, nodes);
  return [
    ...unless(
      !colocate || !isAsync(config),
      `algorithm.async is ${config.algorithm.async}, but colocated engines cannot sample during training`,
      "set cluster.colocate to false, and cluster.rolloutGpus to the number of GPUs for the engines",
    ),
    ...unless(
      colocate || cluster.rolloutGpus !== null,
      "cluster.rolloutGpus is null, but engines that are not colocated need their own GPUs",
      "set cluster.rolloutGpus to the number of GPUs for the engines",
    ),
    ...unless(
      !colocate || cluster.rolloutGpus === null ||
        cluster.rolloutGpus === nodes * cluster.gpusPerNode,
      `cluster.rolloutGpus is ${cluster.rolloutGpus}, but colocated engines share the training GPUs (${
        nodes * cluster.gpusPerNode
      })`,
      "set cluster.rolloutGpus to null",
    ),
    ...unless(
      hosts.length === 0 || hosts.length === nodes ||
        (!colocate && hosts.length > nodes),
      `cluster.nodes is ${nodes}, but cluster.hosts lists ${hosts.length} ${
        hosts.length === 1 ? "host" : "hosts"
      }`,
      "set cluster.nodes to the number of hosts",
    ),
    ...repeatFaults("cluster.hosts", hosts),
    ...unless(
      hostGpus >= cluster.gpusPerNode,
      `cluster.gpusPerNode is ${cluster.gpusPerNode}, but cluster.hostGpus is only ${hostGpus}`,
      "raise cluster.hostGpus, or lower cluster.gpusPerNode",
    ),
    ...unless(
      count * hostGpus >= needed || hostGpus < cluster.gpusPerNode,
      `the run needs ${needed} GPUs (${cluster.gpusPerNode} per host for training), but there are only ${count} × ${hostGpus} (hosts × cluster.hostGpus)`,
      "raise cluster.hostGpus, or add hosts to cluster.hosts",
    ),
    ...unless(
      nodes === 1 || hosts.length > 0 || !cluster.start,
      `cluster.nodes is ${nodes}, but cluster.hosts is empty`,
      "list the hosts in cluster.hosts, the head first, or set cluster.start to false to join a running cluster",
    ),
    ...unless(
      hosts.length > 0 || nodes === 1 || !isLoopback(address),
      `cluster.address is ${address}, which other hosts cannot reach`,
      "set cluster.address to the head's address",
    ),
    ...unless(
      (cluster.tempDir ?? "").length <= MAX_TEMP_DIR,
      `cluster.tempDir has ${
        (cluster.tempDir ?? "").length
      } characters, but Ray's socket paths leave room for only ${MAX_TEMP_DIR}`,
      "set cluster.tempDir to a shorter path",
    ),
  ];
}

function engineFaults(
  { gpus }: SlimeConfig["engine"],
  { heads, kvGroups }: ModelShape,
): Fault[] {
  return unless(
    heads % gpus === 0 && (kvGroups % gpus === 0 || gpus % kvGroups === 0),
    `engine.gpus ${gpus} does not divide the model's numbers of heads (${heads}) and of key-value groups (${kvGroups})`,
    `choose a divisor of ${kvGroups}`,
  );
}

function expertFaults(
  { config: { parallel }, model: { experts }, batch }: ResolvedSlime,
): Fault[] {
  const { expert, expertTensor, pipeline, tensor, sequence } = parallel;
  if (experts === undefined) {
    return unless(
      expert === 1 && expertTensor === 1,
      `the model has no experts, but parallel.expert is ${expert} and parallel.expertTensor is ${expertTensor}`,
      "set both to 1",
    );
  }
  const ranks = batch.actorNumNodes * batch.actorNumGpusPerNode / pipeline;
  return [
    ...unless(
      experts.count % expert === 0,
      `parallel.expert ${expert} does not divide ${experts.count} experts`,
      `choose a divisor of ${experts.count}`,
    ),
    ...unless(
      !Number.isInteger(ranks) || ranks % (expert * expertTensor) === 0,
      `parallel.expert × parallel.expertTensor (${expert} × ${expertTensor}) does not divide the ${ranks} GPUs of a pipeline stage`,
      `choose values whose product divides ${ranks}`,
    ),
    ...unless(
      tensor === 1 || sequence,
      "parallel.sequence is false, but Megatron requires it for a model with experts if parallel.tensor is above 1",
      "set parallel.sequence to true",
    ),
  ];
}

/**
 * Returns a fault for each of the recipe's flags that the model's shape also sets. If a flag is passed twice, slime
 * silently uses the last value.
 */
function shapeFaults({ config, model }: ResolvedSlime): Fault[] {
  const own = new Set(
    groupWords(model.arguments ?? []).map(({ flag }) => flag.slice(2)),
  );
  return Object.keys(config.flags).filter((name) => own.has(name)).map(
    (name) => ({
      found: `flags.${name}: --${name} is also set by the model's shape`,
      fix: `remove flags.${name}, or set model.shape to another shape`,
    }),
  );
}

/**
 * The maximum length of the path of Ray's temporary directory. The path of a socket is limited to 107 bytes, of which
 * Ray's part takes about 62.
 */
const MAX_TEMP_DIR = 45;

function rolloutFaults(
  { rollout, eval: evals, model }: SlimeConfig,
  { positions }: ModelShape,
): Fault[] {
  return [
    ...unless(
      rollout.groupSize > 1 || rollout.filter === null,
      "rollout.groupSize is 1, but rollout.filter keeps only groups whose rewards differ, which needs at least two episodes",
      "raise rollout.groupSize",
    ),
    ...unless(
      rollout.maxResponseLen < rollout.maxContextLen,
      `rollout.maxResponseLen (${rollout.maxResponseLen}) leaves no room for a prompt in rollout.maxContextLen (${rollout.maxContextLen})`,
      "lower rollout.maxResponseLen",
    ),
    ...unless(
      rollout.maxContextLen <= positions,
      `rollout.maxContextLen (${rollout.maxContextLen}) is more than the ${positions} tokens that ${model.name} supports`,
      "lower rollout.maxContextLen",
    ),
    ...unless(
      rollout.stepsPerRollout === null ||
        rollout.batchSize * rollout.groupSize ===
          rollout.stepsPerRollout * rollout.globalBatchSize,
      `rollout.stepsPerRollout × rollout.globalBatchSize (${rollout.stepsPerRollout} × ${rollout.globalBatchSize}) must equal rollout.batchSize × rollout.groupSize (${rollout.batchSize} × ${rollout.groupSize})`,
      "set rollout.stepsPerRollout to null to derive it",
    ),
    ...unless(
      evals.every === 0 || evals.splits.length > 0,
      `eval.every is ${evals.every}, but eval.splits is empty`,
      "add a split to eval.splits, or set eval.every to 0",
    ),
    ...repeatFaults("eval.splits", evals.splits),
  ];
}

function trainingFaults(
  { parallel, algorithm, model, checkpoint }: SlimeConfig,
): Fault[] {
  return [
    ...(["directory", "huggingFace"] as const).flatMap((key) =>
      unless(
        checkpoint[key] !== model.directory,
        `checkpoint.${key} is the same directory as model.directory: "${model.directory}"`,
        `set checkpoint.${key} to another directory`,
      )
    ),
    ...unless(
      !parallel.sequence || parallel.tensor > 1,
      `parallel.sequence is true, but parallel.tensor is ${parallel.tensor}`,
      "set parallel.sequence to false, or raise parallel.tensor",
    ),
    ...unless(
      parallel.recompute !== "selective" ||
        (parallel.recomputeMethod === null &&
          parallel.recomputeLayers === null),
      "parallel.recompute is selective, but parallel.recomputeMethod or parallel.recomputeLayers is set",
      "set both to null",
    ),
    ...unless(
      parallel.recompute !== "full" || parallel.recomputeMethod !== null,
      "parallel.recompute is full, but parallel.recomputeMethod is null",
      "set parallel.recomputeMethod to uniform",
    ),
    ...unless(
      !algorithm.advantage.startsWith("reinforce_plus_plus") ||
        algorithm.normalizeAdvantages,
      `algorithm.advantage is ${algorithm.advantage}, but algorithm.normalizeAdvantages is false`,
      "set algorithm.normalizeAdvantages to true",
    ),
    ...unless(
      algorithm.klLoss || algorithm.klLossCoef === 0,
      `algorithm.klLossCoef is ${algorithm.klLossCoef}, but algorithm.klLoss is false, so the loss would contain no KL term`,
      "set algorithm.klLoss to true, or algorithm.klLossCoef to 0",
    ),
    ...unless(
      !(algorithm.engineLogprobs && algorithm.importanceSampling),
      "algorithm.engineLogprobs and algorithm.importanceSampling cannot both be true",
      "set one of them to false",
    ),
  ];
}

/**
 * The environment variables that `cluster.env` must not contain, each with the key from which the plan derives its
 * value.
 */
const OWN_VARIABLES: Readonly<Record<string, string>> = {
  PYTHONPATH: "paths.megatron",
  MASTER_ADDR: "cluster.address",
  NCCL_NVLS_ENABLE: "cluster.nvlink",
};

function environmentFaults({ cluster }: SlimeConfig): Fault[] {
  return Object.keys(cluster.env).flatMap((name) => [
    ...unless(
      !/(^|_)(KEY|TOKEN|SECRET|PASSWORD)$/i.test(name),
      `cluster.env contains ${name}, which anyone with access to Ray's dashboard can read`,
      `set ${name} in the environment of the command that starts Ray instead`,
    ),
    ...unless(
      !(name in OWN_VARIABLES),
      `cluster.env contains ${name}, which is derived from ${
        OWN_VARIABLES[name]
      }`,
      `set ${OWN_VARIABLES[name]} instead`,
    ),
  ]);
}

/**
 * Returns the faults of `bridge.hosts`. This machine and other hosts cannot both run episode servers. Episodes from
 * other hosts are copied into the database on this machine, where they would overwrite the episodes of this machine's
 * servers.
 */
function bridgeFaults({ bridge: { hosts } }: SlimeConfig): Fault[] {
  return [
    ...unless(
      !hosts.includes(THIS_HOST) || hosts.length === 1,
      `bridge.hosts lists both "${THIS_HOST}" and other hosts`,
      `list either "${THIS_HOST}" alone, or only hosts from hosts.yaml`,
    ),
    ...repeatFaults("bridge.hosts", hosts),
  ];
}

/** Returns a fault if a list of names contains a name twice. */
function repeatFaults(key: string, names: readonly string[]): Fault[] {
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  return unless(
    repeated === undefined,
    `${key} lists "${repeated}" twice`,
    `list "${repeated}" once`,
  );
}
