/** What an evaluation is made of: a recipe of its own, resolved as training's is. */

import { z } from "zod";
import { agentName } from "../../env/agents/registry.ts";
import {
  budgetSchema,
  compatSchema,
  endpointSchema,
  evaluationDataSchema,
  pricesSchema,
  userSchema,
} from "../config/config_sections.ts";
import { SPLITS } from "../../env/types.ts";
import { trackingSchema } from "../tracking/tracking_schema.ts";
import type { DeepReadonly } from "../config/config_schema.ts";

const positive = z.int().min(1);
const count = z.int().min(0);

/** Everything that an evaluation depends on. */
export const evaluationSchema = z.strictObject({
  seed: count.default(1).meta({
    description: "Seed of all randomness",
    cli: {},
  }),
  data: evaluationDataSchema.prefault({}),
  split: z.enum(SPLITS).default("test").meta({
    description: "Which tasks",
    cli: {},
  }),
  tasks: z.array(count).nullable().default(null).describe(
    "Which of the split's tasks, from 0; null takes all",
  ),
  trials: positive.default(1).meta({
    description: "Episodes of each task; k of pass^k",
    cli: {},
  }),
  agent: agentName("expert").default("tool-calling").meta({
    description:
      "Who serves: a model by a strategy, or the expert, who knows the scripted user's words",
    cli: {},
  }),
  prompt: z.enum(["full", "none"]).default("full").describe(
    "What a model is shown before the conversation; full: policy text and tools. A run's policy keeps its own",
  ),
  policy: z.string().nullable().default(null).describe(
    "The training run whose policy is the model, at temperature 1 unless one is given; null asks the endpoint",
  ),
  model: endpointSchema.extend({
    temperature: endpointSchema.shape.temperature.meta({
      description: "Sampling temperature; default: the server's",
      cli: {},
    }),
    tokenizer: z.string().min(1).nullable().default(null).meta({
      description:
        "A model directory: works on token ids through SGLang's /generate by its tokenizer and template",
      cli: { value: "DIR", isPath: () => true },
    }),
    thinking: z.boolean().nullable().default(null).describe(
      "Whether a hybrid model thinks before it answers, with a tokenizer; null leaves it to its chat template",
    ),
    contextLength: positive.default(32768).describe(
      "Most tokens of a conversation, where it works on token ids",
    ),
  }).prefault({}),
  user: userSchema.prefault({}),
  judge: z.strictObject({
    endpoint: endpointSchema.prefault({}).meta({
      cli: { prefix: "judge", of: "The judge's model" },
    }),
  }).prefault({}).describe(
    "Who judges what no program can, where tasks of τ³-bench ask for it; without a model these are not judged, but beside the scripted user, by a program that judges what it can",
  ),
  compat: compatSchema,
  rollout: z.strictObject({
    maxTurns: positive.default(30).meta({
      description: "Most turns of a conversation, as in τ-bench",
      cli: {},
    }),
    maxParseErrors: count.default(3).describe(
      "Answers that cannot be read and are forgiven, of a conversation",
    ),
    retries: count.default(3).describe(
      "How often a conversation is begun anew after a failure of the infrastructure",
    ),
    concurrency: positive.default(32).meta({
      description: "Conversations in flight",
      cli: {},
      mayChange: true,
    }),
  }).prefault({}),
  prices: pricesSchema,
  budget: budgetSchema.prefault({}),
  tracking: trackingSchema.prefault({}),
});

/** A resolved evaluation; frozen to its leaves. */
export type EvaluationConfig = DeepReadonly<z.infer<typeof evaluationSchema>>;
