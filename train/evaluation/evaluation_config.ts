/** The config of an evaluation. Evaluations have their own recipes, which are resolved like training recipes. */

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

/** The schema of an evaluation's config. */
export const evaluationSchema = z.strictObject({
  seed: count.default(1).meta({
    description: "Seed for all random choices",
    cli: {},
  }),
  data: evaluationDataSchema.prefault({}),
  split: z.enum(SPLITS).default("test").meta({
    description: "Split to evaluate",
    cli: {},
  }),
  tasks: z.array(count).nullable().default(null).describe(
    "Indices of the split's tasks, from 0; null evaluates all",
  ),
  trials: positive.default(1).meta({
    description: "Trials per task; the largest k of pass^k",
    cli: {},
  }),
  agent: agentName("expert").default("tool-calling").meta({
    description:
      "Agent: a strategy for a model, or the expert, which understands only the scripted user's phrasings",
    cli: {},
  }),
  prompt: z.enum(["full", "none"]).default("full").describe(
    "Prompt before the conversation; full adds policy text and tools; a run's policy always uses its training prompt",
  ),
  policy: z.string().nullable().default(null).describe(
    "Training run whose policy is evaluated, at temperature 1 by default; null evaluates the model at the endpoint",
  ),
  model: endpointSchema.extend({
    temperature: endpointSchema.shape.temperature.meta({
      description: "Sampling temperature; if unset, the server's default",
      cli: {},
    }),
    tokenizer: z.string().min(1).nullable().default(null).meta({
      description:
        "Directory of the model's tokenizer and chat template; token ids are then sent to SGLang's /generate",
      cli: { value: "DIR", isPath: () => true },
    }),
    thinking: z.boolean().nullable().default(null).describe(
      "With model.tokenizer: whether a hybrid model thinks before it answers; null uses its chat template's default",
    ),
    contextLength: positive.default(32768).describe(
      "With model.tokenizer: maximum tokens per conversation",
    ),
  }).prefault({}),
  user: userSchema.prefault({}),
  judge: z.strictObject({
    endpoint: endpointSchema.prefault({}).meta({
      cli: { prefix: "judge", of: "the model that judges τ³-bench's criteria" },
    }),
  }).prefault({}).describe(
    "Judge of the criteria in τ³-bench's tasks that no program can check; without a model they are not judged, except with the scripted user, where a program checks what it can",
  ),
  compat: compatSchema,
  rollout: z.strictObject({
    maxTurns: positive.default(30).meta({
      description: "Maximum turns per conversation, as in τ-bench",
      cli: {},
    }),
    maxParseErrors: count.default(3).describe(
      "Unreadable answers allowed per conversation",
    ),
    retries: count.default(3).describe(
      "Retries of a conversation after an infrastructure failure",
    ),
    concurrency: positive.default(32).meta({
      description: "Number of concurrent conversations",
      cli: {},
      mayChange: true,
    }),
  }).prefault({}),
  prices: pricesSchema,
  budget: budgetSchema.prefault({}),
  tracking: trackingSchema.prefault({}),
});

/** A resolved, deeply frozen evaluation config. */
export type EvaluationConfig = DeepReadonly<z.infer<typeof evaluationSchema>>;
