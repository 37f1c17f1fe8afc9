/** Defines the flags of `deno task evaluate`, and derives a config from them. */

import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import { fileNameOf } from "../env/models/endpoints.ts";
import {
  type Override,
  parseSet,
  type Recipe,
  resolveBy,
} from "../train/config/config.ts";
import { flagOverrides, flagsOf } from "../train/config/config_flags.ts";
import { dataOfSplit } from "../train/config/sampled_data.ts";
import {
  type EvaluationConfig,
  evaluationSchema,
} from "../train/evaluation/evaluation_config.ts";
import { readEvaluation } from "../train/evaluation/evaluation_dir.ts";
import { latestCompleted } from "../train/runs/run_reader.ts";
import { checkResume } from "../train/runs/resume_check.ts";
import { readRun } from "../train/runs/training_dir.ts";
import { readTextIfThere } from "../train/runs/storage.ts";
import { anyPath, runPathOnly } from "./_caller_paths.ts";
import {
  benchmarkOverrides,
  hostsFlag,
  runFlags,
  runNamed,
  runPath,
  tau3BenchFlag,
  tau3SourceOverride,
  tauBenchFlag,
  trackOverrides,
} from "./_shared_flags.ts";
import { stamp } from "../train/runs/run_info.ts";
import { newConfig, trainFlags } from "./_train_flags.ts";

/** The flags of `deno task evaluate`. A flag with a corresponding recipe key defaults to the value of that key. */
export const evaluateFlags = z.object({
  ...flagsOf(evaluationSchema) as object,
  taskIds: z.string().optional().meta({
    description:
      "Indices of tasks in the split, from 0, such as 1,2,5-9; default: all",
    value: "LIST",
  }),
  policy: z.string().min(1).optional().meta({
    description:
      "Training run whose policy is evaluated; default: the most recent completed one, unless a model is given",
    value: "RUN",
    isPath: runPathOnly,
  }),
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  recipe: z.string().optional().meta({
    description: "Evaluation recipe: a YAML file",
    value: "FILE",
    isPath: anyPath,
  }),
  ...runFlags,
  export: z.enum(["tau-bench", "tau3", "inspect"]).optional().meta({
    description:
      "Also write the results to the run dir; tau-bench, tau3: in the benchmark's format (tau3 adds submission.json if the scores are comparable with the leaderboard's); inspect: as an Inspect log",
  }),
  workers: z.int().min(1).max(256).optional().meta({
    description:
      "Number of processes, which share the episodes, the concurrency and the budget; default: 1, or one per host with --ray",
  }),
  ray: z.string().min(1).transform((text) => text.split(",")).optional().meta({
    description:
      'Run the processes as jobs on a running Ray cluster: names of hosts from hosts.yaml, the head first, or "this" for this machine',
    value: "HOSTS",
  }),
  rayUrl: z.url().default("http://127.0.0.1:8265").meta({
    description: "URL of Ray's dashboard on the head",
    value: "URL",
  }),
  hosts: hostsFlag,
  jsonSchema: z.boolean().default(false).meta({
    description:
      "Print the JSON Schema of evaluation recipes, for editors, and exit",
  }),
  dryRun: z.boolean().default(false).meta({
    description:
      "Print the plan and exit; no model is called and nothing is written",
  }),
});

/** The parsed flags of `deno task evaluate`. */
export type EvaluateFlags =
  & z.infer<typeof evaluateFlags>
  & Readonly<Record<string, unknown>>;

/**
 * Returns the config of a new evaluation.
 * @throws {ConfigError} If the flags or the recipe are invalid or cannot be used together.
 */
export async function newEvaluation(
  flags: EvaluateFlags,
): Promise<EvaluationConfig> {
  const policy = await policyOf(flags);
  const recipe = await recipeOf(flags, policy);
  const overrides = overridesOf(flags);
  overrides.push(...tau3SourceOverride(flags));
  if (policy !== undefined) {
    const origin = `--policy ${policy}`;
    overrides.push({ path: ["policy"], value: policy, origin });
  }
  const { source } = resolveBy(evaluationSchema, recipe, overrides).data;
  const config = resolveBy(evaluationSchema, recipe, [
    ...overrides,
    ...benchmarkOverrides(flags, source),
  ]);
  return { ...config, data: dataOfSplit(config.data, config.split) };
}

/**
 * Returns the path and the config of the evaluation that `--resume` selects. Flags may change some keys of the config,
 * and these changes are included.
 * @throws {ConfigError} If there is no such evaluation, or a flag conflicts with its config.
 */
export async function evaluationToResume(
  flags: EvaluateFlags,
): Promise<{ path: string; config: EvaluationConfig }> {
  const path = await runNamed(flags, "evaluate");
  const run = await readEvaluation(path);
  const config = resolveBy(
    evaluationSchema,
    { name: join(path, "config.yaml"), text: stringify(run.config) },
    [
      ...overridesOf(flags),
      ...benchmarkOverrides(flags, run.config.data.source, {
        selectedBy: null,
      }),
    ],
  );
  checkResume(run, { config, schema: evaluationSchema });
  return { path, config };
}

/**
 * Returns the default name of an evaluation, such as `evaluate-gpt-4o-retail-test-20260102-030405`. The time is in UTC.
 */
export function defaultName(config: EvaluationConfig, now: Date): string {
  const who = config.agent === "expert"
    ? "expert"
    : config.policy ?? config.model.model ?? "model";
  return [
    "evaluate",
    fileNameOf(who),
    config.data.domain,
    config.split,
    stamp(now),
  ].join("-");
}

/** The maximum length of a range in `--task-ids`. No split has that many tasks. */
const MAX_TASKS = 1_000_000;

/**
 * Parses a list such as `1,2,5-9` into sorted numbers without duplicates.
 * @throws {ConfigError} If the text is not a list of numbers and ranges, or a range is too long.
 */
export function parseTaskIds(text: string): number[] {
  const ids = text.split(",").flatMap((part) => {
    const [, from, to = from] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from)) {
      const what = from === undefined
        ? "is neither a number nor a range"
        : "ends before it begins";
      throw new ConfigError(
        `--task-ids "${text}": "${part}" ${what}`,
        { hint: "pass a list such as 1,2,5-9" },
      );
    }
    const count = Number(to) - Number(from) + 1;
    if (count > MAX_TASKS) {
      throw new ConfigError(
        `--task-ids "${text}": "${part}" selects more than ${MAX_TASKS} tasks`,
        { hint: "omit --task-ids to select all tasks of the split" },
      );
    }
    return Array.from({ length: count }, (_, i) => Number(from) + i);
  });
  return [...new Set(ids)].sort((a, b) => a - b);
}

/**
 * Returns the path of the run whose policy is evaluated; `undefined` if the flags name a model, the expert or a recipe
 * instead.
 */
async function policyOf(flags: EvaluateFlags): Promise<string | undefined> {
  const { policy, model, agent, recipe, runs } = flags;
  const others = [
    ...(model === undefined ? [] : [`--model ${model}`]),
    ...(agent === "expert" ? ["--agent expert"] : []),
  ];
  if (policy !== undefined && others.length > 0) {
    throw new ConfigError(
      `--policy ${policy} and ${others[0]} cannot be used together`,
      { hint: "pass only one of them" },
    );
  }
  if (policy !== undefined) {
    return runPath(policy, runs);
  }
  if (others.length > 0 || recipe !== undefined) return undefined;
  const latest = await latestCompleted(runs);
  if (latest !== undefined) return latest;
  throw new ConfigError(
    `There is no completed training run in "${runs}"`,
    {
      hint:
        'train one with "deno task train", or pass --model NAME or --agent expert',
    },
  );
}

/** The default recipe for τ³-bench. Its turn limit is so high that the benchmark's own limit applies. */
const TAU3_RECIPE: Recipe = {
  name: "the default recipe",
  text: stringify({
    data: { source: "tau3-bench" },
    rollout: { maxTurns: 200 },
  }),
};

/**
 * Returns the recipe that the flags name. By default, returns a recipe with the data, the agent and the turn limit of
 * the policy's run. Without a policy, returns the default recipe for τ³-bench, or a recipe with the data that `deno
 * task train` would use.
 */
async function recipeOf(
  flags: EvaluateFlags,
  policy: string | undefined,
): Promise<Recipe> {
  const { recipe, data, env } = flags;
  if (recipe !== undefined) {
    const text = await readTextIfThere(recipe);
    if (text !== undefined) return { name: recipe, text };
    throw new ConfigError(`There is no recipe file "${recipe}"`, {
      hint:
        "pass the path of a YAML file; the recipes in train/recipes are for training",
    });
  }
  if (policy !== undefined) {
    const { config } = await readRun(policy);
    return {
      name: join(policy, "config.yaml"),
      text: stringify({
        data: config.data,
        agent: config.agent,
        rollout: { maxTurns: config.rollout.maxTurns },
      }),
    };
  }
  const isTau3 = data === "tau3-bench" || tau3SourceOverride(flags).length > 0;
  if (isTau3) return TAU3_RECIPE;
  const config = await newConfig(trainFlags.parse({ data, env }));
  return {
    name: "the default recipe",
    text: stringify({ data: config.data }),
  };
}

function overridesOf(flags: EvaluateFlags): Override[] {
  const { taskIds } = flags;
  return [
    ...flags.set.map(parseSet),
    ...flagOverrides(evaluationSchema, flags),
    ...trackOverrides(flags),
    ...(taskIds === undefined ? [] : [{
      path: ["tasks"],
      value: parseTaskIds(taskIds),
      origin: `--task-ids ${taskIds}`,
    }]),
  ];
}
