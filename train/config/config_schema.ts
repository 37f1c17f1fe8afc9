/** The schema of a training run's config: keys, types, defaults and descriptions. config.ts resolves it. */

import { z } from "zod";
import { agentName, agentStrategy } from "../../env/agents/registry.ts";
import { ADVANTAGE_HELP, ADVANTAGE_NAMES } from "../advantage.ts";
import { CREDIT_HELP, CREDIT_NAMES } from "../credit.ts";
import { RATIO_HELP, RATIO_NAMES } from "../ratio.ts";
import {
  budgetSchema,
  compatSchema,
  dataSchema,
  pricesSchema,
  userSchema,
} from "./config_sections.ts";
import { trackingSchema } from "../tracking/tracking_schema.ts";
import { ModelConfigSchema } from "../cpu/model_config.ts";
import { MIN_VOCAB_SIZE } from "../cpu/tiny_tokenizer.ts";

const positive = z.int().min(1);
const count = z.int().min(0);
/** The schema of a number of steps. The number is limited because a plan lists every step. */
const steps = z.int().min(0).max(1_000_000);
const rate = z.number().gt(0);
const share = z.number().min(0).max(1);

/** The schema of the model. Its vocabulary must be large enough to encode any text. */
const modelSchema = ModelConfigSchema.refine(
  ({ vocab }) => vocab >= MIN_VOCAB_SIZE,
  {
    path: ["vocab"],
    error:
      `expected at least ${MIN_VOCAB_SIZE}, which the tokenizer needs to encode any text`,
  },
);

const coldStartSchema = z.strictObject({
  demonstrations: count.default(0)
    .describe("Number of train tasks that the expert demonstrates; 0 uses all"),
  steps: steps.default(60).describe(
    "Supervised steps on expert demonstrations",
  ),
  maxTokens: count.default(0).describe(
    "Maximum tokens per demonstration; longer ones are dropped; 0 uses the context length",
  ),
  batchSize: positive.default(32).describe("Demonstrations per step"),
  learningRate: rate.default(3e-3).describe("Peak learning rate"),
  warmupSteps: count.default(10).describe("Steps of linear warm-up"),
  finalShare: share.default(0.1)
    .describe(
      "Final learning rate as a share of the peak; the decay is linear",
    ),
  maxGradNorm: rate.default(1).describe(
    "Maximum gradient norm; larger gradients are clipped",
  ),
});

const rftSchema = z.strictObject({
  steps: steps.default(0).describe(
    "Steps of rejection fine-tuning before the policy gradient",
  ),
  tasksPerStep: positive.default(256).describe(
    "Tasks per step, with one episode each",
  ),
  updates: positive.default(8).describe(
    "Supervised updates per step, on solved episodes and demonstrations",
  ),
  batchSize: positive.default(16).describe("Conversations per update"),
  learningRate: rate.default(4e-3).describe("Peak learning rate"),
  warmupSteps: count.default(5).describe("Steps of linear warm-up"),
  finalShare: share.default(0.1)
    .describe(
      "Final learning rate as a share of the peak; the decay is linear",
    ),
  maxGradNorm: rate.default(1).describe(
    "Maximum gradient norm; larger gradients are clipped",
  ),
});

const rlSchema = z.strictObject({
  steps: steps.default(60).describe("Policy-gradient steps"),
  tasksPerStep: positive.default(12).describe(
    "Tasks per step, each with a group of episodes",
  ),
  groupSize: z.int().min(2).default(8).describe("Episodes per task"),
  learningRate: rate.default(4e-4).describe("Peak learning rate"),
  warmupSteps: count.default(5).describe("Steps of linear warm-up"),
  finalShare: share.default(1)
    .describe(
      "Final learning rate as a share of the peak; the decay is linear",
    ),
  maxGradNorm: rate.default(1).describe(
    "Maximum gradient norm; larger gradients are clipped",
  ),
  ratio: z.enum(RATIO_NAMES).default("token").describe(
    `Importance ratio that is clipped; ${RATIO_HELP}`,
  ),
  clipLow: share.default(0.2).describe(
    "The ratio is clipped below at 1 - clipLow",
  ),
  clipHigh: rate.default(0.28).describe(
    "The ratio is clipped above at 1 + clipHigh",
  ),
  klCoef: z.number().min(0).default(0)
    .describe(
      "Weight of the KL divergence from the policy before the first RL step",
    ),
  entropyCoef: z.number().min(0).default(0).describe(
    "Weight of the entropy bonus",
  ),
  lossMean: z.enum(["token", "episode"]).default("episode").describe(
    "How the loss is averaged: across all tokens, or within each episode first",
  ),
  negativeWeight: share.default(1).describe(
    "Factor applied to negative advantages; 0 learns from successes only",
  ),
  advantage: z.enum(ADVANTAGE_NAMES).default("dr-grpo").describe(
    `Advantage estimator, from the rewards r of a group; ${ADVANTAGE_HELP}`,
  ),
  credit: z.enum(CREDIT_NAMES).default("episode").describe(
    `How a turn's advantage is computed; ${CREDIT_HELP}. A state is everything said so far by the user and the tools; its value is its mean reward in the group`,
  ),
  creditWeight: z.number().min(0).default(1).describe(
    "Weight of turn-level credit, added to the episode's advantage",
  ),
  maxRefills: count.default(1)
    .describe(
      "Maximum number of times per step that new tasks replace the groups with equal rewards",
    ),
  minibatches: positive.default(1)
    .describe("Minibatches per step, with one update each"),
});

const controlSchema = z.strictObject({
  seconds: z.boolean().default(false).meta({
    description:
      "After RL, train a control: more supervised steps from the cold start, for as many seconds as RL took",
    cli: { flag: "control" },
    mayChange: true,
  }),
  tokens: z.boolean().default(false).meta({
    description:
      "After RL, train a control for as many tokens as RL sampled and trained on",
    cli: { flag: "controlTokens" },
    mayChange: true,
  }),
  peakShare: rate.default(0.5).describe(
    "Peak learning rate of a control as a share of the cold start's",
  ),
  finalShare: share.default(0.05).describe(
    "Final learning rate of a control as a share of its peak",
  ),
});

const optimizerSchema = z.strictObject({
  beta1: share.default(0.9).describe("Decay of AdamW's first moment"),
  beta2: share.default(0.98).describe("Decay of AdamW's second moment"),
  weightDecay: z.number().min(0).default(0.01).describe(
    "Weight decay; applies to matrices only",
  ),
});

const rolloutSchema = z.strictObject({
  temperature: rate.default(1).describe("Sampling temperature during training"),
  maxTokensPerTurn: positive.default(128).describe("Maximum tokens per answer"),
  maxTurns: positive.default(30).describe("Maximum turns per conversation"),
  maxParseErrors: count.default(3).describe(
    "Unreadable answers allowed per conversation",
  ),
  concurrency: positive.default(64).describe(
    "Number of concurrent conversations",
  ),
  cacheTokens: positive.default(131072)
    .describe(
      "Capacity of the policy's key-value cache in tokens, across all conversations",
    ),
});

const evalSchema = z.strictObject({
  every: count.default(10).describe(
    "Steps between evaluations on dev after the cold start; 0 disables them",
  ),
  tasks: count.default(64).describe("Dev tasks per evaluation; 0 uses all"),
  trials: positive.default(1).describe("Episodes per dev task"),
  testTasks: count.default(0).describe(
    "Test tasks in the final evaluation; 0 uses all",
  ),
  testTrials: positive.default(1).describe(
    "Sampled episodes per test task; the largest k of pass^k",
  ),
});

const checkpointsSchema = z.strictObject({
  every: positive.default(1).describe(
    "Steps between checkpoints; if the run is killed, the steps since the last one are lost",
  ),
  keep: positive.default(2).describe(
    "Recent checkpoints to keep, in addition to those at the ends of phases",
  ),
});

/**
 * Returns the number of threads if the config has none: one per core, but at most 16, the number of conversations in a
 * supervised step of the default recipe.
 */
export function defaultThreads(cores = navigator.hardwareConcurrency): number {
  return Math.min(cores, 16);
}

/** The schema of a training run's config. */
export const configSchema = z.strictObject({
  seed: count.default(1).meta({
    description: "Seed for all random choices",
    cli: {},
  }),
  threads: count.max(64).default(0).describe(
    "Threads of the CPU policy; 0 uses one per core, but at most 16",
  ),
  data: dataSchema.prefault({}),
  prompt: z.enum(["none", "full"]).default("none")
    .describe(
      "Prompt before the conversation; full: policy text and tool schemas",
    ),
  agent: agentName().default("tool-calling").meta({
    description:
      "How the policy acts: through tool calls, or through actions written as text",
    cli: {},
  }),
  user: userSchema.prefault({}),
  compat: compatSchema,
  prices: pricesSchema,
  budget: budgetSchema.prefault({}),
  model: modelSchema.prefault({}),
  optimizer: optimizerSchema.prefault({}),
  coldStart: coldStartSchema.prefault({}),
  rft: rftSchema.prefault({}),
  rl: rlSchema.prefault({}),
  control: controlSchema.prefault({}),
  rollout: rolloutSchema.prefault({}),
  eval: evalSchema.prefault({}),
  checkpoints: checkpointsSchema.prefault({}),
  tracking: trackingSchema.prefault({}),
}).refine(
  ({ agent, prompt }) => prompt === "full" || !agentStrategy(agent).needsPrompt,
  {
    path: ["prompt"],
    error: "expected full, because the agent works only with a prompt",
  },
).refine(
  ({ control, coldStart, rft, rl }) =>
    !(control.seconds || control.tokens) ||
    (coldStart.steps > 0 && rft.steps + rl.steps > 0),
  {
    path: ["control"],
    error:
      "expected no control while coldStart.steps is 0 or both rft.steps and rl.steps are 0",
  },
);

/** A resolved, deeply frozen config. */
export type Config = DeepReadonly<z.infer<typeof configSchema>>;

/** A type with all its parts read-only. */
export type DeepReadonly<T> = T extends object
  ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
  : T;
