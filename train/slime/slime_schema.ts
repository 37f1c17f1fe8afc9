/**
 * Defines the schema of a slime recipe, a YAML file that replaces the shell scripts with which slime is usually run.
 *
 * If a key sets a flag of slime, Megatron or SGLang, its metadata contains the flag's name (`flag`). flags.ts converts
 * the values to a command line. Most defaults are the values in slime's tau-bench example; exceptions are
 * `rollout.filter` and `algorithm.klLoss`.
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
import { count, path, positive, rate, tcpPort } from "./value_schemas.ts";
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
    `Name of the model; the known shapes are ${
      Object.keys(MODEL_PRESETS).join(", ")
    }`,
  ),
  shape: z.union([path, z.record(z.string(), z.unknown())]).nullable().default(
    null,
  ).describe(
    "Shape of a model that is not in model.name's list: the keys of a config.json, or the path on this machine to a config.json or to slime's scripts/models/NAME.sh",
  ),
  directory: path.default("/root/Qwen3-4B").meta({
    description: "The checkpoint in Hugging Face's format, on every host",
    flag: "--hf-checkpoint",
  }),
  reference: path.nullable().default(null).meta({
    description:
      "Initial weights, also used for the reference model; null loads model.directory without conversion",
    flag: "--ref-load",
  }),
  toolCalls: z.enum(TOOL_CALL_FORMATS).nullable().default(null).describe(
    "Format of the model's tool calls, named after SGLang's parser; null derives it from the chat template",
  ),
  thinking: z.boolean().nullable().default(null).describe(
    "Whether a hybrid model thinks before it answers; null uses its chat template's default",
  ),
});

const pathsSchema = z.strictObject({
  slime: path.default("/root/slime").describe(
    "Path of slime's checkout on the hosts",
  ),
  megatron: path.default("/root/Megatron-LM").describe(
    "Path of Megatron-LM's checkout on the hosts",
  ),
  python: path.default("python3").describe(
    "The Python interpreter that has slime installed",
  ),
  ray: path.default("ray").describe("The ray command on the hosts"),
  runs: path.default("/root/taulab-runs").describe(
    "Directory of the runs' files on the hosts: rows, hooks and settings",
  ),
});

const clusterSchema = z.strictObject({
  nodes: positive.default(1).meta({
    description: "Number of training hosts",
    flag: "--actor-num-nodes",
  }),
  gpusPerNode: positive.default(2).meta({
    description: "Training GPUs per host",
    flag: "--actor-num-gpus-per-node",
  }),
  hostGpus: positive.nullable().default(null).meta({
    description:
      "GPUs per host that Ray may use; null uses as many as the run needs",
    flag: "--num-gpus-per-node",
  }),
  colocate: z.boolean().default(true).meta({
    description: "Let training and engines take turns on the same GPUs",
    flag: "--colocate",
  }),
  rolloutGpus: positive.nullable().default(null).meta({
    description:
      "Number of GPUs for the engines; null if colocated, since engines then share the training GPUs",
    flag: "--rollout-num-gpus",
  }),
  hosts: z.array(z.string().min(1)).default([]).describe(
    "Hosts of the cluster: names from hosts.yaml, the head first; empty means this machine",
  ),
  address: z.string().min(1).default("127.0.0.1").describe(
    "Address at which the other hosts reach the head",
  ),
  port: tcpPort.default(6379).describe("The port of Ray's head node"),
  dashboardPort: tcpPort.default(8265).describe("The port of Ray's Jobs API"),
  agentPort: tcpPort.default(52365).describe(
    "The port of the agent that starts jobs, on each host; two Ray clusters on one host need different ports",
  ),
  dashboardHost: z.string().min(1).default("127.0.0.1").describe(
    "Address that the Jobs API listens on; anyone who can reach it can run anything on the hosts",
  ),
  tempDir: path.nullable().default(null).describe(
    "Directory for Ray's sessions; its path must be short; null uses Ray's default",
  ),
  gpuMemoryGb: rate.default(80).describe(
    "Memory per GPU in GB, for the plan",
  ),
  gpuTflops: rate.default(989).describe(
    "Dense bf16 TFLOP/s per GPU, for the forecast: A100 312, H100 and H200 989, B200 2250",
  ),
  start: z.boolean().default(true).describe(
    "Start Ray if none is running; false only joins a running cluster",
  ),
  nvlink: z.enum(["auto", "yes", "no"]).default("auto").describe(
    "Whether NVLink connects a host's GPUs; auto detects it with nvidia-smi",
  ),
  env: z.record(z.string(), z.string()).default({}).describe(
    "Additional environment variables for the job; they are not secret, so they must not contain keys",
  ),
});

const rolloutSchema = z.strictObject({
  steps: positive.default(500).meta({
    description: "Number of rollouts, each followed by training steps",
    flag: "--num-rollout",
  }),
  batchSize: positive.default(32).meta({
    description: "Tasks per rollout",
    flag: "--rollout-batch-size",
  }),
  groupSize: positive.default(8).meta({
    description: "Episodes per task",
    flag: "--n-samples-per-prompt",
  }),
  globalBatchSize: positive.default(256).meta({
    description: "Episodes per optimizer step",
    flag: "--global-batch-size",
  }),
  stepsPerRollout: positive.nullable().default(null).meta({
    description:
      "Optimizer steps per rollout; null derives it from the batch sizes",
    flag: "--num-steps-per-rollout",
  }),
  overSamplingBatchSize: positive.nullable().default(null).meta({
    description: "Tasks sampled at once; null uses the batch size",
    flag: "--over-sampling-batch-size",
  }),
  maxResponseLen: positive.default(1024).meta({
    description: "Maximum tokens per answer",
    flag: "--rollout-max-response-len",
  }),
  maxContextLen: positive.default(16_384).meta({
    description: "Maximum tokens per episode, including the prompt",
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
      "Filter for groups; the default keeps groups in which rewards differ, ignoring failed episodes; null keeps all",
    flag: "--dynamic-sampling-filter-path",
  }),
  filterRounds: positive.nullable().default(4).describe(
    "Batches of groups per rollout after which generate.keep_group also keeps groups with equal rewards; null samples until rewards differ in enough groups",
  ),
  balance: z.boolean().default(true).meta({
    description: "Balance sequence lengths across ranks",
    flag: "--balance-data",
  }),
  maxTurns: positive.default(30).describe("Maximum actions per episode"),
});

const evalSchema = z.strictObject({
  every: count.default(5).meta({
    description: "Rollouts between evaluations; 0 disables them",
    flag: "--eval-interval",
  }),
  splits: z.array(z.enum(["dev", "test"])).default(["dev"]).describe(
    "Splits to evaluate, each on its own tasks",
  ),
  samples: positive.default(1).meta({
    description: "Episodes per task",
    flag: "--n-samples-per-eval-prompt",
  }),
  maxResponseLen: positive.default(1024).meta({
    description: "Maximum tokens per answer",
    flag: "--eval-max-response-len",
  }),
  topK: z.int().min(-1).default(1).meta({
    description: "Number of tokens to sample from (top-k); 1 is greedy",
    flag: "--eval-top-k",
  }),
});

const engineSchema = z.strictObject({
  gpus: positive.default(1).meta({
    description: "GPUs per engine",
    flag: "--rollout-num-gpus-per-engine",
  }),
  memory: z.number().gt(0).lt(1).default(0.7).meta({
    description: "Share of a GPU's memory for weights and cache",
    flag: "--sglang-mem-fraction-static",
  }),
  concurrency: positive.default(64).meta({
    description: "Maximum concurrent episodes per engine",
    flag: "--sglang-server-concurrency",
  }),
  routerPort: tcpPort.default(3100).meta({
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
      "The router's policy for assigning turns to engines; auto uses the best supported one: consistent_hashing (slime's build) or manual (PyPI's), which keep an episode on one engine",
    flag: "--router-policy",
  }),
});

const checkpointSchema = z.strictObject({
  directory: path.default("/root/taulab-checkpoints").meta({
    description:
      "Directory for checkpoints; each run writes to a subdirectory with its name, and resumes from there",
    flag: "--save",
  }),
  every: positive.default(20).meta({
    description: "Rollouts between checkpoints",
    flag: "--save-interval",
  }),
  keep: positive.nullable().default(2).describe(
    "Number of recent checkpoints to keep; the run removes older ones; null keeps all, as slime does",
  ),
  keepBest: z.boolean().default(true).describe(
    "Also keep the checkpoint with the best evaluation on the first of eval.splits",
  ),
  huggingFace: path.nullable().default(null).meta({
    description:
      "Directory in which to also write each checkpoint in Hugging Face's format, as RUN/{rollout_id}; null writes none",
    flag: "--save-hf",
  }),
});

const trackingSchema = z.strictObject({
  wandb: z.boolean().default(false).meta({
    description: "Also log to Weights & Biases, with the key in WANDB_API_KEY",
    flag: "--use-wandb",
  }),
  project: z.string().min(1).nullable().default(null).meta({
    description: "Project in Weights & Biases",
    flag: "--wandb-project",
  }),
  group: z.string().min(1).nullable().default(null).meta({
    description: "Group in Weights & Biases; null uses the run's name",
    flag: "--wandb-group",
  }),
  mode: z.enum(["online", "offline"]).nullable().default(null)
    .meta({
      description:
        "Mode of Weights & Biases; offline needs no key; null uses WANDB_MODE",
      flag: "--wandb-mode",
    }),
  tensorboard: z.boolean().default(false).meta({
    description:
      "Also log to TensorBoard, in tensorboard/ next to the run's checkpoints",
    flag: "--use-tensorboard",
  }),
});

const bridgeSchema = z.strictObject({
  services: z.array(z.url({ protocol: /^https?$/ })).default([]).describe(
    "URLs of running episode servers; empty starts new ones",
  ),
  processes: positive.default(2).describe("Number of episode servers to start"),
  hosts: z.array(z.string().min(1)).default([]).describe(
    'Hosts that run the episode servers: names from hosts.yaml, or "this" for this machine; empty means the head',
  ),
  address: z.string().min(1).nullable().default(null).describe(
    "Address at which the hosts reach the head, or this machine if episode servers run here; null uses cluster.address",
  ),
  allowEngines: z.array(z.string().min(1)).default([]).describe(
    "Additional engines outside the run's hosts that episodes may sample from, as HOST or HOST:PORT",
  ),
  port: tcpPort.default(8400).describe(
    "Port of the first episode server; the others use the next ports",
  ),
  timeoutS: rate.default(1800).describe("Timeout per episode, in seconds"),
  patienceS: rate.default(120).describe(
    "Number of seconds to keep retrying while no episode server can be reached",
  ),
  retries: count.default(3).describe(
    "Retries of an episode on other servers",
  ),
});

/**
 * The schema of the dataset. Defaults are set for individual keys rather than the whole section, so that they also
 * apply if a recipe sets another key of the section.
 */
const slimeDataSchema = dataSchema.extend({
  source: dataSchema.shape.source.removeDefault().default("tau-bench")
    .describe("Source of the tasks and their database"),
});

const slimeUserSchema = userSchema.extend({
  strategy: userSchema.shape.strategy.removeDefault().default("llm").describe(
    "Strategy of the simulated user; all but scripted need a model",
  ),
});

/** The schema of a slime recipe, with the default of every key. */
export const slimeSchema = z.strictObject({
  trainer: z.literal("slime").default("slime").describe("The trainer"),
  seed: z.int().min(0).default(42).meta({
    description: "Seed for the order of tasks and for episodes",
    flag: "--rollout-seed",
  }),
  data: slimeDataSchema.prefault({}),
  agent: agentName().default("tool-calling").describe("The agent strategy"),
  prompt: z.enum(["full", "none"]).default("full").describe(
    "Prompt before the conversation; full: policy text and tool schemas",
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
    "Additional flags for slime's train.py, by name without leading dashes; true sets a bare flag, false omits it, a list sets several values",
  ),
});

export type SlimeConfig = DeepReadonly<z.infer<typeof slimeSchema>>;
