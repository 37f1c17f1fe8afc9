/** The schema of a run's config: its keys, types, defaults and words. See config.ts for how it is resolved. */

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
/** More are no run, and a plan lists them. */
const steps = z.int().min(0).max(1_000_000);
const rate = z.number().gt(0);
const share = z.number().min(0).max(1);

/** The model, with room for a tokenizer that can write any text. */
const modelSchema = ModelConfigSchema.refine(
  ({ vocab }) => vocab >= MIN_VOCAB_SIZE,
  {
    path: ["vocab"],
    error:
      `a tokenizer that can write any text has ${MIN_VOCAB_SIZE} tokens at least; give a larger multiple of 32`,
  },
);

const coldStartSchema = z.strictObject({
  demonstrations: count.default(0)
    .describe("Train tasks that the expert shows; 0 takes all"),
  steps: steps.default(60).describe(
    "Supervised steps on expert demonstrations",
  ),
  maxTokens: count.default(0).describe(
    "Longer demonstrations are left out; 0 leaves out those that the context does not hold",
  ),
  batchSize: positive.default(32).describe("Demonstrations a step"),
  learningRate: rate.default(3e-3).describe("Peak learning rate"),
  warmupSteps: count.default(10).describe("Steps of linear warm-up"),
  finalShare: share.default(0.1)
    .describe(
      "Learning rate at the end as a share of the peak; the decay is linear",
    ),
  maxGradNorm: rate.default(1).describe("Largest norm of the gradient"),
});

const rftSchema = z.strictObject({
  steps: steps.default(0).describe(
    "Steps of rejection fine-tuning before the policy gradient",
  ),
  tasksPerStep: positive.default(256).describe("Tasks tried a step, once each"),
  updates: positive.default(8).describe(
    "Supervised updates a step, on what was solved and on the demonstrations",
  ),
  batchSize: positive.default(16).describe("Conversations an update"),
  learningRate: rate.default(4e-3).describe("Peak learning rate"),
  warmupSteps: count.default(5).describe("Steps of linear warm-up"),
  finalShare: share.default(0.1)
    .describe(
      "Learning rate at the end as a share of the peak; the decay is linear",
    ),
  maxGradNorm: rate.default(1).describe("Largest norm of the gradient"),
});

const rlSchema = z.strictObject({
  steps: steps.default(60).describe("Policy-gradient steps"),
  tasksPerStep: positive.default(12).describe("Groups a step"),
  groupSize: z.int().min(2).default(8).describe("Episodes of each task"),
  learningRate: rate.default(4e-4).describe("Peak learning rate"),
  warmupSteps: count.default(5).describe("Steps of linear warm-up"),
  finalShare: share.default(1)
    .describe(
      "Learning rate at the end as a share of the peak; the decay is linear",
    ),
  maxGradNorm: rate.default(1).describe("Largest norm of the gradient"),
  ratio: z.enum(RATIO_NAMES).default("token").describe(
    `Which ratio of the policy to the one that sampled is clipped; ${RATIO_HELP}`,
  ),
  clipLow: share.default(0.2).describe("The ratio is clipped at 1 - clipLow"),
  clipHigh: rate.default(0.28).describe("The ratio is clipped at 1 + clipHigh"),
  klCoef: z.number().min(0).default(0)
    .describe("Weight of the KL to the end of the cold start"),
  entropyCoef: z.number().min(0).default(0).describe(
    "Weight of the entropy bonus",
  ),
  lossMean: z.enum(["token", "episode"]).default("episode").describe(
    "What the loss is a mean over: tokens alike, or each episode's first",
  ),
  negativeWeight: share.default(1).describe(
    "What negative advantages are multiplied by; 0 learns from successes only",
  ),
  advantage: z.enum(ADVANTAGE_NAMES).default("dr-grpo").describe(
    `How a group's rewards r become advantages; ${ADVANTAGE_HELP}`,
  ),
  credit: z.enum(CREDIT_NAMES).default("episode").describe(
    `What a turn's advantage is; a state is all that user and tools have said, V its mean reward in the group; ${CREDIT_HELP}`,
  ),
  creditWeight: z.number().min(0).default(1).describe(
    "Weight of credit by turns beside the episode's advantage",
  ),
  maxRefills: count.default(1)
    .describe("Rounds of new tasks for groups whose rewards all agree"),
  minibatches: positive.default(1)
    .describe("Parts that a step's episodes are split into, one update each"),
});

const controlSchema = z.strictObject({
  seconds: z.boolean().default(false).meta({
    description:
      "After RL, train a control: further supervised steps from the cold start for the seconds that RL's took",
    cli: { flag: "control" },
    mayChange: true,
  }),
  tokens: z.boolean().default(false).meta({
    description: "And one for the tokens that RL sampled and trained on",
    cli: { flag: "controlTokens" },
    mayChange: true,
  }),
  peakShare: rate.default(0.5).describe(
    "A control's peak learning rate as a share of the cold start's",
  ),
  finalShare: share.default(0.05).describe(
    "Its learning rate at the end as a share of its peak",
  ),
});

const optimizerSchema = z.strictObject({
  beta1: share.default(0.9).describe("Decay of AdamW's first moment"),
  beta2: share.default(0.98).describe("Decay of AdamW's second moment"),
  weightDecay: z.number().min(0).default(0.01).describe(
    "Weight decay of matrices",
  ),
});

const rolloutSchema = z.strictObject({
  temperature: rate.default(1).describe("Sampling temperature while training"),
  maxTokensPerTurn: positive.default(128).describe("Most tokens of one answer"),
  maxTurns: positive.default(30).describe("Most turns of a conversation"),
  maxParseErrors: count.default(3).describe(
    "Answers that cannot be read and are forgiven, of a conversation",
  ),
  concurrency: positive.default(64).describe("Conversations in flight"),
  cacheTokens: positive.default(131072)
    .describe(
      "Tokens that the policy's cache holds, all conversations together",
    ),
});

const evalSchema = z.strictObject({
  every: count.default(10).describe(
    "Evaluate on dev every so many steps after the cold start; 0 never",
  ),
  tasks: count.default(64).describe("Dev tasks of an evaluation; 0 takes all"),
  trials: positive.default(1).describe("Episodes of each dev task"),
  testTasks: count.default(0).describe("Test tasks at the end; 0 takes all"),
  testTrials: positive.default(1).describe(
    "Sampled episodes of each test task; k of pass^k",
  ),
});

const checkpointsSchema = z.strictObject({
  every: positive.default(1).describe(
    "Save every so many steps; a kill loses what came since",
  ),
  keep: positive.default(2).describe(
    "Latest checkpoints to keep, beside those at the ends of phases",
  ),
});

/** Everything that a run depends on. */
export const configSchema = z.strictObject({
  seed: count.default(1).meta({
    description: "Seed of all randomness",
    cli: {},
  }),
  threads: count.default(0).describe(
    "Threads of the CPU policy; 0 takes one a core",
  ),
  data: dataSchema.prefault({}),
  prompt: z.enum(["none", "full"]).default("none")
    .describe(
      "What the policy is shown before the conversation; full: policy text and tool schemas",
    ),
  agent: agentName().default("tool-calling").meta({
    description: "How the policy serves: by tool calls, or by actions as text",
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
    error:
      "the few-shot agent's examples are in its prompt, so without one it is the tool-calling agent; set prompt=full, or choose agent tool-calling",
  },
).refine(
  ({ control, coldStart, rft, rl }) =>
    !(control.seconds || control.tokens) ||
    (coldStart.steps > 0 && rft.steps + rl.steps > 0),
  {
    path: ["control"],
    error:
      "it trains on from the cold start for as long as RL takes; give both coldStart.steps and rl.steps, or leave it out",
  },
);

/** A resolved config; frozen to its leaves. */
export type Config = DeepReadonly<z.infer<typeof configSchema>>;

/** A type whose parts, down to its leaves, are not to be written to. */
export type DeepReadonly<T> = T extends object
  ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
  : T;
