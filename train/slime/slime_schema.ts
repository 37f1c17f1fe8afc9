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
import { TOOL_CALL_FORMATS } from "../../env/tokens/tool_calls/tool_call_format.ts";
import {
  budgetSchema,
  compatSchema,
  dataSchema,
  pricesSchema,
  userSchema,
} from "../config/config_sections.ts";
import type { DeepReadonly } from "../config/config_schema.ts";
import { MODEL_PRESETS } from "./shapes/model_presets.ts";
import { count, path, positive, rate } from "./value_schemas.ts";
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

const modelSchema = z.strictObject({
  name: path.default("Qwen3-4B").describe(
    `The model; of some its shape is known: ${
      Object.keys(MODEL_PRESETS).join(", ")
    }`,
  ),
  shape: z.union([path, z.record(z.string(), z.unknown())]).nullable().default(
    null,
  ).describe(
    "Shape of a model with another name: the path of slime's scripts/models/NAME.sh or of a checkpoint's config.json on this machine, or the keys of a config.json",
  ),
  directory: path.default("/root/Qwen3-4B").meta({
    description: "The checkpoint in Hugging Face's format, on every host",
    flag: "--hf-checkpoint",
  }),
  reference: path.nullable().default(null).meta({
    description:
      "Weights to begin with and to stay near; null loads the directory itself, without conversion",
    flag: "--ref-load",
  }),
  toolCalls: z.enum(TOOL_CALL_FORMATS).nullable().default(null).describe(
    "How the model writes tool calls, by the name of SGLang's parser; null is as its chat template does",
  ),
  thinking: z.boolean().nullable().default(null).describe(
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
  nodes: positive.default(1).meta({
    description: "Hosts that train",
    flag: "--actor-num-nodes",
  }),
  gpusPerNode: positive.default(2).meta({
    description: "GPUs of a host that train",
    flag: "--actor-num-gpus-per-node",
  }),
  hostGpus: positive.nullable().default(null).meta({
    description:
      "GPUs that a host offers; null offers those that the run needs",
    flag: "--num-gpus-per-node",
  }),
  colocate: z.boolean().default(true).meta({
    description: "Training and engines take turns on the same GPUs",
    flag: "--colocate",
  }),
  rolloutGpus: positive.nullable().default(null).meta({
    description:
      "GPUs of the engines; null, when colocated, has those that train",
    flag: "--rollout-num-gpus",
  }),
  hosts: z.array(z.string().min(1)).default([]).describe(
    "Names in hosts.yaml, the head first; none is this machine",
  ),
  address: z.string().min(1).default("127.0.0.1").describe(
    "The head's address, as the other hosts reach it",
  ),
  port: positive.default(6379).describe("The port of Ray's head"),
  dashboardPort: positive.default(8265).describe("The port of Ray's Jobs API"),
  dashboardHost: z.string().min(1).default("127.0.0.1").describe(
    "Address that the API listens on; anyone who can reach it can run anything on the hosts",
  ),
  tempDir: path.nullable().default(null).describe(
    "Directory of Ray's sessions, a short path; null is Ray's own",
  ),
  gpuMemoryGb: rate.default(80).describe(
    "Memory of a GPU in GB, for the plan",
  ),
  gpuTflops: rate.default(989).describe(
    "Dense bf16 TFLOP/s of a GPU, for the forecast: 312 of an A100, 989 of an H100 or H200, 2250 of a B200",
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
  steps: positive.default(500).meta({
    description: "Rollouts, each with its steps of training",
    flag: "--num-rollout",
  }),
  batchSize: positive.default(32).meta({
    description: "Tasks a rollout",
    flag: "--rollout-batch-size",
  }),
  groupSize: positive.default(8).meta({
    description: "Episodes of each task",
    flag: "--n-samples-per-prompt",
  }),
  globalBatchSize: positive.default(256).meta({
    description: "Episodes a step of the optimizer",
    flag: "--global-batch-size",
  }),
  stepsPerRollout: positive.nullable().default(null).meta({
    description:
      "Steps of the optimizer a rollout; null follows from the batch sizes",
    flag: "--num-steps-per-rollout",
  }),
  overSamplingBatchSize: positive.nullable().default(null).meta({
    description: "Tasks begun at a time; null is the batch size",
    flag: "--over-sampling-batch-size",
  }),
  maxResponseLen: positive.default(1024).meta({
    description: "Most tokens of an answer of the model",
    flag: "--rollout-max-response-len",
  }),
  maxContextLen: positive.default(16_384).meta({
    description: "Most tokens of an episode, prompt and all",
    flag: "--rollout-max-context-len",
  }),
  temperature: rate.default(1).meta({
    description: "Sampling temperature",
    flag: "--rollout-temperature",
  }),
  shuffle: z.boolean().default(true).meta({
    description: "Shuffle tasks each epoch",
    flag: "--rollout-shuffle",
  }),
  filter: path.nullable().default("generate.keep_group").meta({
    description:
      "Which groups are kept: by default those whose rewards differ, failed episodes aside; null keeps all",
    flag: "--dynamic-sampling-filter-path",
  }),
  filterRounds: positive.nullable().default(4).describe(
    "Batches of groups that generate.keep_group judges in a rollout before it keeps groups whose rewards agree too; null samples until enough differ",
  ),
  balance: z.boolean().default(true).meta({
    description: "Share work among ranks by its length",
    flag: "--balance-data",
  }),
  maxTurns: positive.default(30).describe("Most actions of an episode"),
});

const evalSchema = z.strictObject({
  every: count.default(5).meta({
    description: "Rollouts between evaluations; 0 has none",
    flag: "--eval-interval",
  }),
  splits: z.array(z.enum(["dev", "test"])).default(["dev"]).describe(
    "Splits that are evaluated, each on its own tasks",
  ),
  samples: positive.default(1).meta({
    description: "Episodes of each task",
    flag: "--n-samples-per-eval-prompt",
  }),
  maxResponseLen: positive.default(1024).meta({
    description: "Most tokens of an answer",
    flag: "--eval-max-response-len",
  }),
  topK: z.int().min(-1).default(1).meta({
    description: "Tokens to choose among; 1 takes the likeliest",
    flag: "--eval-top-k",
  }),
});

const engineSchema = z.strictObject({
  gpus: positive.default(1).meta({
    description: "GPUs an engine",
    flag: "--rollout-num-gpus-per-engine",
  }),
  memory: z.number().gt(0).lt(1).default(0.7).meta({
    description: "Share of a GPU's memory for weights and cache",
    flag: "--sglang-mem-fraction-static",
  }),
  concurrency: positive.default(64).meta({
    description: "Most episodes at once, an engine",
    flag: "--sglang-server-concurrency",
  }),
  routerPort: positive.default(3100).meta({
    description: "Port of the router that slime starts",
    flag: "--sglang-router-port",
  }),
  routerPolicy: z.enum([
    "auto",
    "consistent_hashing",
    "manual",
    "cache_aware",
    "power_of_two",
    "round_robin",
    "random",
  ]).default("auto").meta({
    description:
      "How turns find their engine; auto takes the best that the installed router has: consistent_hashing (slime's build) or manual (PyPI's), which keep an episode on one",
    flag: "--router-policy",
  }),
});

const checkpointSchema = z.strictObject({
  directory: path.default("/root/taulab-checkpoints").meta({
    description:
      "Where checkpoints go, in a directory of the run's name, and where the run looks when resumed",
    flag: "--save",
  }),
  every: positive.default(20).meta({
    description: "Rollouts between checkpoints",
    flag: "--save-interval",
  }),
  keep: positive.nullable().default(2).describe(
    "How many of the last stay; the run removes the others that it wrote. null keeps all, as slime does",
  ),
  keepBest: z.boolean().default(true).describe(
    "The one with the best evaluation of the first of eval.splits stays too",
  ),
  huggingFace: path.nullable().default(null).meta({
    description:
      "Also write each in Hugging Face's format, as DIR/RUN/{rollout_id}",
    flag: "--save-hf",
  }),
});

const trackingSchema = z.strictObject({
  wandb: z.boolean().default(false).meta({
    description:
      "Log to Weights & Biases too; its key is WANDB_API_KEY of the environment",
    flag: "--use-wandb",
  }),
  project: z.string().min(1).nullable().default(null).meta({
    description: "Project there",
    flag: "--wandb-project",
  }),
  group: z.string().min(1).nullable().default(null).meta({
    description: "Group there; null is the run's name",
    flag: "--wandb-group",
  }),
  mode: z.enum(["online", "offline"]).nullable().default(null)
    .meta({
      description:
        "How Weights & Biases is logged to; offline needs no key, null leaves it to WANDB_MODE",
      flag: "--wandb-mode",
    }),
  tensorboard: z.boolean().default(false).meta({
    description:
      "Log to TensorBoard too, in the directory tensorboard of the run's checkpoints",
    flag: "--use-tensorboard",
  }),
});

const bridgeSchema = z.strictObject({
  services: z.array(z.url({ protocol: /^https?$/ })).default([]).describe(
    "Episode servers that run already; none starts them here",
  ),
  processes: positive.default(2).describe("Episode servers to start"),
  hosts: z.array(z.string().min(1)).default([]).describe(
    'Hosts that they run on, by their names in hosts.yaml, or "this" machine; none is the head',
  ),
  address: z.string().min(1).nullable().default(null).describe(
    "The address of the head, or of this machine where that runs them, as the hosts reach it; null is cluster.address",
  ),
  allowEngines: z.array(z.string().min(1)).default([]).describe(
    "Engines beyond the run's own hosts that episodes may sample from, as HOST or HOST:PORT",
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

/** The defaults of single keys, not of the section: they also apply if a recipe sets another key of it. */
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
  seed: z.int().min(0).default(42).meta({
    description: "Seed of the order of tasks and of episodes",
    flag: "--rollout-seed",
  }),
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

export type SlimeConfig = DeepReadonly<z.infer<typeof slimeSchema>>;
