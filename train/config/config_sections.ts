/**
 * Config sections that training and evaluation share: the dataset, models at endpoints, the simulated user, prices and
 * budgets. A key with `cli` has a flag (see config_flags.ts); a key with `mayChange` may be changed when a run is
 * resumed.
 */

import { z } from "zod";
import { partOf } from "../../env/domain.ts";
import { POLICY_TYPES } from "../../env/benchmarks/tau3/load_bundle.ts";
import { airlineOptionsSchema } from "../../env/domains/airline/world/options.ts";
import {
  type DomainName,
  domainNamed,
  domainNameSchema,
} from "../../env/domains/registry.ts";
import { retailOptionsSchema } from "../../env/domains/retail/world/options.ts";
import { rowOptionsSchema } from "../../env/generated/row_options.ts";
import { PROVIDERS } from "../../env/models/endpoints.ts";
import { userName } from "../../env/users/registry.ts";

const positive = z.int().min(1);
const count = z.int().min(0);

/** The schemas of the world settings, for domains with a separate section. Other domains use the section `world`. */
const sections = {
  generated: retailOptionsSchema,
  airline: airlineOptionsSchema,
};

/** The schema of the section `data`: the source of the tasks and rows, and the settings of that source. */
export const dataSchema = z.strictObject({
  source: z.enum(["generated", "tau-bench", "tau3-bench"]).default("generated")
    .meta({
      description: "Source of the tasks and their database",
      cli: { flag: "data" },
    }),
  domain: domainNameSchema.default("retail").meta({
    description: "Domain of the tasks",
    cli: { flag: "env" },
  }),
  directory: z.string().nullable().default(null)
    .meta({
      description:
        "The benchmark's directory, if the source is tau-bench or tau3-bench; null uses TAU_BENCH_DIR or TAU3_BENCH_DIR",
      mayChange: true,
    }),
  exclude: z.string().min(1).nullable().default(null)
    .meta({
      description:
        "YAML file that lists tasks to exclude, as written by audit --exclusions",
      cli: { value: "FILE", isPath: () => true },
    }),
  worldSeed: z.int().default(1)
    .describe("Seed of the generated world; independent of the run's seed"),
  generated: sections.generated.prefault({}),
  airline: sections.airline.prefault({}),
  world: z.record(z.string(), z.unknown()).optional().describe(
    "Options of the generated world, for domains other than retail and airline",
  ),
  rows: rowOptionsSchema.prefault({}).describe(
    "Tasks drawn from the rows of the τ-bench checkout, in place of its train tasks",
  ),
});

/** The schema of an evaluation's section `data`, which adds the keys for τ³-bench's modes and policy variants. */
export const evaluationDataSchema = dataSchema.extend({
  solo: z.boolean().default(false).meta({
    description:
      "Evaluate in τ³-bench's solo mode: without a user, with the tools of both sides, and with the task's ticket as the prompt",
    cli: {},
  }),
  policyType: z.enum(POLICY_TYPES).default("manual").meta({
    description:
      "Form of the technical-support policy in the prompt for τ³-bench's telecom agent",
    cli: {},
  }),
});

/**
 * Returns the name of the section in `data` with a domain's world settings.
 * @throws {MissingPartError} If the domain has no generator.
 */
export function worldSection(
  domain: DomainName,
): keyof typeof sections | "world" {
  const found = domainNamed(domain);
  const { options } = found.bundle?.composer ?? partOf(found, "world");
  const names = Object.keys(sections) as (keyof typeof sections)[];
  return names.find((name) => sections[name] === options) ?? "world";
}

/** The schema of the settings for network calls to a model. Each endpoint has its own settings. */
const callsSchema = z.strictObject({
  timeoutS: z.number().gt(0).default(60).describe(
    "Timeout per attempt, in seconds",
  ),
  retries: count.default(6).describe("Retries after the first attempt"),
  backoffMs: positive.default(500).describe(
    "First backoff in milliseconds; doubles with each retry, unless the server sets it",
  ),
  requestsPerMinute: count.default(0).describe(
    "Rate limit in calls per minute across all conversations; 0 disables it",
  ),
});

/** The schema of an endpoint: the model, how to reach it, and how to sample from it. */
export const endpointSchema = z.strictObject({
  provider: z.enum(PROVIDERS).default("openai").meta({
    description: "Provider whose API the endpoint implements",
    cli: {},
  }),
  model: z.string().min(1).nullable().default(null).meta({
    description: "Name of the model, as the provider spells it",
    cli: { value: "NAME" },
  }),
  baseUrl: z.string().min(1).nullable().default(null).meta({
    description:
      "Endpoint URL; if unset, OPENAI_BASE_URL, OPENAI_API_BASE or the provider's own URL",
    cli: { value: "URL" },
  }),
  temperature: z.number().min(0).nullable().default(null).describe(
    "Sampling temperature; null uses the server's default",
  ),
  maxTokens: positive.default(1024).describe("Maximum tokens per answer"),
  extra: z.record(z.string(), z.unknown()).default({}).describe(
    "Extra fields of the request body; null removes a field that the server rejects, such as seed",
  ),
  calls: callsSchema.prefault({}),
});

/** The schema of the simulated user's settings. */
export const userSchema = z.strictObject({
  strategy: userName
    .default("scripted")
    .meta({
      description:
        "Strategy of the simulated user; all but scripted need a model",
      cli: { flag: "user" },
    }),
  attempts: positive.nullable().default(null).describe(
    "Attempts per message; null uses 3 for verify, 2 for reflection",
  ),
  endpoint: endpointSchema.prefault({}).meta({
    cli: { prefix: "user", of: "the user's model" },
  }),
});

/**
 * The schema of the setting `compat`, which reproduces τ-bench's original behavior, including flaws that taulab
 * otherwise corrects.
 */
export const compatSchema = z.boolean().default(false).meta({
  description:
    "Reproduce τ-bench's users and text agents exactly, including flaws that change results",
  cli: {},
});

/** The schema of a model's prices, in US dollars per million tokens. */
const priceSchema = z.strictObject({
  input: z.number().min(0),
  cachedInput: z.number().min(0).optional(),
  output: z.number().min(0),
});

/** The schema of prices, keyed by model name. */
export const pricesSchema = z.record(z.string(), priceSchema).default({})
  .meta({
    description:
      "Prices by model name: input, cachedInput and output in US dollars per million tokens",
    mayChange: true,
  });

/** The schema of the budget for models that are called over the network. */
export const budgetSchema = z.strictObject({
  maxCost: z.number().gt(0).nullable().default(null).meta({
    description:
      "Budget in US dollars, after which the run stops; no limit if unset; may be raised on resume",
    cli: { value: "USD" },
  }),
  maxTokens: positive.nullable().default(null).meta({
    description:
      "Budget in tokens, after which the run stops; no limit if unset; may be raised on resume",
    cli: {},
  }),
}).meta({ mayChange: true });
