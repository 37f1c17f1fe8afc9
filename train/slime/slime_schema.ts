/**
 * The schema of a slime recipe: what `train --recipe qwen3-4b` runs, as one YAML instead of a shell script.
 *
 * A key that is a flag of slime, Megatron or SGLang names it in its metadata (`flag`); see flags.ts for how
 * values become a command line. Defaults are those of slime's tau-bench example where it sets them.
 *
 * @see slime `examples/tau-bench/run_qwen3_4B.sh` and `slime/utils/arguments.py` at 624b824.
 */

import { z } from "zod";
import { agentName } from "../../env/agents/registry.ts";
import {
  budgetSchema,
  compatSchema,
  dataSchema,
  pricesSchema,
  userSchema,
} from "../config/config_sections.ts";
import type { DeepReadonly } from "../config/config_schema.ts";
import { MODEL_SHAPES, type ModelName } from "./model_shapes.ts";
import { count, key, path, positive, rate } from "./schema_key.ts";
import {
  algorithmSchema,
  numericsSchema,
  optimizerSchema,
  parallelSchema,
} from "./training_schema.ts";

const flagValue = z.union([
  z.boolean(),
  z.number(),
  z.string(),
  z.array(z.union([z.number(), z.string()])).min(1),
]);

const modelNames = Object.keys(MODEL_SHAPES) as [ModelName, ...ModelName[]];

const modelSchema = z.strictObject({
  name: key(
    z.enum(modelNames).default("Qwen3-4B"),
    "The model; its shape gives Megatron's model arguments",
  ),
  directory: key(
    path.default("/root/Qwen3-4B"),
    "The checkpoint in Hugging Face's format, on every host",
    "--hf-checkpoint",
  ),
  reference: key(
    path.nullable().default(null),
    "Weights to begin with and to stay near; null loads the directory itself, without conversion",
    "--ref-load",
  ),
  thinking: key(
    z.boolean().nullable().default(null),
    "Whether a hybrid model thinks before it answers; null leaves it to its chat template",
  ),
});

const pathsSchema = z.strictObject({
  slime: path.default("/root/slime").describe("slime's checkout on the hosts"),
  megatron: path.default("/root/Megatron-LM").describe(
    "Megatron-LM's checkout on the hosts",
  ),
  python: path.default("python3").describe("The interpreter that has slime"),
  ray: path.default("ray").describe("Ray's command line on the hosts"),
  runs: path.default("/root/taulab-runs").describe(
    "Directory of the runs' files on the hosts: rows, hooks and settings of each",
  ),
});

const clusterSchema = z.strictObject({
  nodes: key(
    positive.default(1),
    "Hosts that train",
    "--actor-num-nodes",
  ),
  gpusPerNode: key(
    positive.default(2),
    "GPUs of a host that train",
    "--actor-num-gpus-per-node",
  ),
  hostGpus: key(
    positive.nullable().default(null),
    "GPUs that a host offers; null offers those that the run needs",
    "--num-gpus-per-node",
  ),
  colocate: key(
    z.boolean().default(true),
    "Training and engines take turns on the same GPUs",
    "--colocate",
  ),
  rolloutGpus: key(
    positive.nullable().default(null),
    "GPUs of the engines; null, when colocated, has those that train",
    "--rollout-num-gpus",
  ),
  hosts: z.array(z.string().min(1)).default([]).describe(
    "Names in hosts.yaml, the head first; none is this machine",
  ),
  address: z.string().min(1).default("127.0.0.1").describe(
    "The head's address, as the other hosts reach it",
  ),
  port: positive.default(6379).describe("The port of Ray's head"),
  dashboardPort: positive.default(8265).describe("The port of Ray's Jobs API"),
  dashboardHost: z.string().min(1).default("127.0.0.1").describe(
    "Where that API listens; whoever reaches it can run anything on the hosts",
  ),
  tempDir: path.nullable().default(null).describe(
    "Directory of Ray's sessions, a short path; null is Ray's own",
  ),
  gpuMemoryGb: rate.default(80).describe(
    "Memory of a GPU in GB, for the plan",
  ),
  start: z.boolean().default(true).describe(
    "Start Ray where none runs; false joins a cluster that is there",
  ),
  nvlink: z.enum(["auto", "yes", "no"]).default("auto").describe(
    "Whether GPUs of a host are joined by NVLink; auto asks nvidia-smi",
  ),
  env: z.record(z.string(), z.string()).default({}).describe(
    "Further environment variables of the job; others can read them, so no keys",
  ),
});

const rolloutSchema = z.strictObject({
  steps: key(
    positive.default(500),
    "Rollouts, each with its steps of training",
    "--num-rollout",
  ),
  batchSize: key(
    positive.default(32),
    "Tasks a rollout",
    "--rollout-batch-size",
  ),
  groupSize: key(
    positive.default(8),
    "Episodes of each task",
    "--n-samples-per-prompt",
  ),
  globalBatchSize: key(
    positive.default(256),
    "Episodes a step of the optimizer",
    "--global-batch-size",
  ),
  stepsPerRollout: key(
    positive.nullable().default(null),
    "Steps of the optimizer a rollout; null follows from the batch sizes",
    "--num-steps-per-rollout",
  ),
  overSamplingBatchSize: key(
    positive.nullable().default(null),
    "Tasks begun at a time; null is the batch size",
    "--over-sampling-batch-size",
  ),
  maxResponseLen: key(
    positive.default(1024),
    "Most tokens of an answer of the model",
    "--rollout-max-response-len",
  ),
  maxContextLen: key(
    positive.default(16_384),
    "Most tokens of an episode, prompt and all",
    "--rollout-max-context-len",
  ),
  temperature: key(
    rate.default(1),
    "Sampling temperature",
    "--rollout-temperature",
  ),
  shuffle: key(
    z.boolean().default(true),
    "Shuffle tasks each epoch",
    "--rollout-shuffle",
  ),
  filter: key(
    path.nullable().default("generate.keep_group"),
    "Which groups are kept: by default those whose rewards differ, failed episodes aside; null keeps all",
    "--dynamic-sampling-filter-path",
  ),
  balance: key(
    z.boolean().default(true),
    "Share work among ranks by its length",
    "--balance-data",
  ),
  maxTurns: positive.default(30).describe("Most actions of an episode"),
});

const evalSchema = z.strictObject({
  every: key(
    count.default(5),
    "Rollouts between evaluations; 0 has none",
    "--eval-interval",
  ),
  splits: z.array(z.enum(["dev", "test"])).default(["dev"]).describe(
    "Splits that are evaluated, each on its own tasks",
  ),
  samples: key(
    positive.default(1),
    "Episodes of each task",
    "--n-samples-per-eval-prompt",
  ),
  maxResponseLen: key(
    positive.default(1024),
    "Most tokens of an answer",
    "--eval-max-response-len",
  ),
  topK: key(
    z.int().min(-1).default(1),
    "Tokens to choose among; 1 takes the likeliest",
    "--eval-top-k",
  ),
});

const engineSchema = z.strictObject({
  gpus: key(
    positive.default(1),
    "GPUs an engine",
    "--rollout-num-gpus-per-engine",
  ),
  memory: key(
    z.number().gt(0).lt(1).default(0.7),
    "Share of a GPU's memory for weights and cache",
    "--sglang-mem-fraction-static",
  ),
  concurrency: key(
    positive.default(64),
    "Most episodes at once, an engine",
    "--sglang-server-concurrency",
  ),
  routerPort: key(
    positive.default(3100),
    "Port of the router that slime starts",
    "--sglang-router-port",
  ),
  routerPolicy: key(
    z.enum([
      "consistent_hashing",
      "manual",
      "cache_aware",
      "power_of_two",
      "round_robin",
      "random",
    ]).default("consistent_hashing"),
    "How turns find their engine; consistent_hashing keeps an episode on one and needs slime's build of the router, manual does so with PyPI's",
    "--router-policy",
  ),
});

const checkpointSchema = z.strictObject({
  directory: key(
    path.default("/root/taulab-checkpoints"),
    "Where checkpoints go, in a directory of the run's name, and where the run looks when resumed",
    "--save",
  ),
  every: key(
    positive.default(20),
    "Rollouts between checkpoints",
    "--save-interval",
  ),
  huggingFace: key(
    path.nullable().default(null),
    "Also write each in Hugging Face's format, as DIR/RUN/{rollout_id}",
    "--save-hf",
  ),
});

const trackingSchema = z.strictObject({
  wandb: key(
    z.boolean().default(false),
    "Log to Weights & Biases too; its key is WANDB_API_KEY of the environment",
    "--use-wandb",
  ),
  project: key(
    z.string().min(1).nullable().default(null),
    "Project there",
    "--wandb-project",
  ),
  group: key(
    z.string().min(1).nullable().default(null),
    "Group there",
    "--wandb-group",
  ),
});

const bridgeSchema = z.strictObject({
  services: z.array(z.url({ protocol: /^https?$/ })).default([]).describe(
    "Episode servers that run already; none starts them here",
  ),
  processes: positive.default(2).describe("Episode servers to start"),
  address: z.string().min(1).nullable().default(null).describe(
    "This machine's address, as the hosts reach it; null is cluster.address",
  ),
  port: positive.default(8400).describe("Port of the first; the others follow"),
  timeoutS: rate.default(1800).describe("Seconds until an episode is given up"),
  patienceS: rate.default(120).describe(
    "Seconds that a sample waits for a server that cannot be reached",
  ),
  retries: count.default(3).describe(
    "Further attempts at an episode, on other servers",
  ),
});

/** The defaults of a key, not of the section: they hold where a recipe sets another key beside it. */
const slimeDataSchema = dataSchema.extend({
  source: dataSchema.shape.source.removeDefault().default("tau-bench")
    .describe("Where tasks and rows come from"),
});

const slimeUserSchema = userSchema.extend({
  strategy: userSchema.shape.strategy.removeDefault().default("llm").describe(
    "How the user is simulated; all but scripted ask a model",
  ),
});

/** A slime recipe: every key of it, with its default. */
export const slimeSchema = z.strictObject({
  trainer: z.literal("slime").default("slime").describe("Who trains"),
  seed: key(
    z.int().min(0).default(42),
    "Seed of the order of tasks and of episodes",
    "--rollout-seed",
  ),
  data: slimeDataSchema.prefault({}),
  agent: agentName().default("tool-calling").describe("How the model serves"),
  prompt: z.enum(["full", "none"]).default("full").describe(
    "What the model is told of the policy and the tools",
  ),
  user: slimeUserSchema.prefault({}),
  compat: compatSchema,
  prices: pricesSchema,
  budget: budgetSchema.prefault({}),
  model: modelSchema.prefault({}),
  paths: pathsSchema.prefault({}),
  cluster: clusterSchema.prefault({}),
  rollout: rolloutSchema.prefault({}),
  eval: evalSchema.prefault({}),
  parallel: parallelSchema.prefault({}),
  algorithm: algorithmSchema.prefault({}),
  optimizer: optimizerSchema.prefault({}),
  numerics: numericsSchema.prefault({}),
  engine: engineSchema.prefault({}),
  checkpoint: checkpointSchema.prefault({}),
  tracking: trackingSchema.prefault({}),
  bridge: bridgeSchema.prefault({}),
  flags: z.record(z.string(), flagValue).default({}).describe(
    "Further flags of slime's train.py, by name without dashes; true is a bare flag, false leaves it out, a list has several values",
  ),
});

/** A resolved recipe, frozen. */
export type SlimeConfig = DeepReadonly<z.infer<typeof slimeSchema>>;
