/** Defines the flags of `deno task chat`, and opens the agent, dataset and task that they select. */

import { z } from "zod";
import { expertAgent } from "../env/agents/expert.ts";
import { ConfigError } from "../env/errors.ts";
import { type Agent, type Dataset, SPLITS, type Task } from "../env/types.ts";
import { dataSchema } from "../train/config/config_sections.ts";
import { dataAt, openDataset } from "../train/config/open_dataset.ts";
import { dataOfSplit } from "../train/config/sampled_data.ts";
import { openRunPolicy } from "../train/cpu/run_policy.ts";
import { latestCompleted } from "../train/runs/run_reader.ts";
import { readRun, type TrainingRecord } from "../train/runs/training_dir.ts";
import { runPathOnly } from "./_caller_paths.ts";
import {
  refuseUnusedBenchmark,
  runPath,
  runsFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";
import { newConfig, trainFlags } from "./_train_flags.ts";

/** The flags of `deno task chat`. */
export const chatFlags = z.object({
  policy: z.string().optional().meta({
    description:
      "Run whose policy is the agent, by name or path; default: the most recent completed one",
    value: "RUN",
    isPath: runPathOnly,
  }),
  agent: z.enum(["policy", "expert"]).optional().meta({
    description:
      "The agent; default: the policy, or the expert if no run has completed",
  }),
  data: dataSchema.shape.source.unwrap().optional().meta({
    description: "Source of the task; default: the run's, else generated",
  }),
  env: dataSchema.shape.domain.unwrap().optional().meta({
    description: "Domain; default: the run's, else retail",
  }),
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  split: z.enum(SPLITS).default("test").meta({
    description: "Split of the task",
  }),
  task: z.int().min(0).default(0).meta({
    description: "Index of the task in its split, from 0",
  }),
  seed: z.int().min(0).default(1).meta({
    description: "Seed of the agent's sampling",
  }),
  temperature: z.number().min(0).default(0).meta({
    description:
      "The policy's sampling temperature; 0 takes the most likely token",
  }),
  runs: runsFlag,
});

/** The parsed flags of `deno task chat`. */
export type ChatFlags = z.infer<typeof chatFlags>;

/** The agent and the dataset of a conversation. Declare it with `await using`. */
export interface Counterpart extends AsyncDisposable {
  readonly agent: Agent;
  readonly dataset: Dataset;
  /** A readable description, such as `the policy of "runs/a1" after step 155`. */
  readonly description: string;
}

/**
 * Opens the agent that the flags select, with its dataset.
 * @throws {ConfigError} If the selected run does not exist, or the flags cannot be used together.
 * @throws {RunDirError} If the run is damaged.
 * @throws {DataError} If a benchmark's data is invalid.
 */
export async function openCounterpart(flags: ChatFlags): Promise<Counterpart> {
  const path = await runOf(flags);
  return path === undefined
    ? await openExpert(flags)
    : await openPolicy(await readRun(path), flags);
}

/**
 * Returns the task that the flags select.
 * @throws {ConfigError} If the split has no such task.
 */
export function taskOf(dataset: Dataset, { split, task }: ChatFlags): Task {
  const tasks = dataset.tasks(split);
  const found = tasks[task];
  if (found !== undefined) return found;
  const data = dataset.name === "generated"
    ? "the generated world"
    : dataset.name;
  throw new ConfigError(
    `There is no task ${task} in the ${split} split of ${data}`,
    {
      hint: tasks.length === 0
        ? "pass another --split"
        : tasks.length === 1
        ? "pass --task 0"
        : `pass an index from 0 to ${tasks.length - 1} as --task`,
    },
  );
}

/**
 * Returns the path of the run whose policy is the agent; `undefined` if the agent is the expert, which is the default
 * if no run has completed.
 */
async function runOf(
  { agent, policy, runs }: ChatFlags,
): Promise<string | undefined> {
  if (agent === "expert" && policy !== undefined) {
    throw new ConfigError(
      `--agent expert and --policy ${policy} cannot be used together`,
      { hint: "pass only one of them" },
    );
  }
  if (agent === "expert") return undefined;
  if (policy !== undefined) {
    return runPath(policy, runs);
  }
  const latest = await latestCompleted(runs);
  if (latest !== undefined || agent === undefined) return latest;
  throw new ConfigError(
    `There is no completed training run in "${runs}"`,
    {
      hint: 'train one with "deno task train", or pass --agent expert',
    },
  );
}

/** Opens the expert in the world that `deno task train` would use with the same flags. */
async function openExpert(
  { data, env, split, tauBench, tau3Bench }: ChatFlags,
): Promise<Counterpart> {
  const flags = { data, env, tauBench, tau3Bench };
  const config = await newConfig(trainFlags.parse(flags));
  return {
    agent: expertAgent(),
    dataset: await openDataset(dataOfSplit(config.data, split)),
    description:
      "the expert, which understands only the scripted user's phrasings",
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function openPolicy(
  run: TrainingRecord,
  flags: ChatFlags,
): Promise<Counterpart> {
  const { data } = run.config;
  const source = flags.data ?? data.source;
  refuseUnusedBenchmark(flags, source);
  const domain = flags.env ?? data.domain;
  const dataset = await openDataset(dataAt({ ...data, source, domain }, flags));
  const policy = await openRunPolicy(run);
  const isOwn = dataset.fingerprint === run.info.dataset.fingerprint;
  return {
    agent: await policy.agent({ ...flags, dataset }),
    dataset,
    description: `the policy of "${run.path}" after step ${policy.step}` +
      (isOwn ? "" : ", on a dataset that it was not trained on"),
    [Symbol.asyncDispose]: () => policy[Symbol.asyncDispose](),
  };
}
