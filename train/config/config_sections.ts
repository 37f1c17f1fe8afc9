/**
 * Sections that the configs of training and of evaluation share: the data, the models at the other end of a
 * network, the simulated user, what calls may cost. A key with `cli` has a flag (config_flags.ts), and one with
 * `mayChange` may be another when a run is resumed.
 */

import { z } from "zod";
import { partOf } from "../../env/domain.ts";
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

/** Sections of recipes that have names of their own in place of `world`, and the knobs that they hold. */
const sections = {
  generated: retailOptionsSchema,
  airline: airlineOptionsSchema,
};

/** Where tasks and rows come from. */
export const dataSchema = z.strictObject({
  source: z.enum(["generated", "tau-bench", "tau3-bench"]).default("generated")
    .meta({
      description: "Where tasks and rows come from",
      cli: { flag: "data" },
    }),
  domain: domainNameSchema.default("retail").meta({
    description: "The world",
    cli: { flag: "env" },
  }),
  directory: z.string().nullable().default(null)
    .meta({
      description:
        "The benchmark's data, where the source is tau-bench or tau3-bench",
      mayChange: true,
    }),
  exclude: z.string().min(1).nullable().default(null)
    .meta({
      description: "A file of tasks to leave out, as audit suggests one",
      cli: { value: "FILE", isPath: () => true },
    }),
  worldSeed: z.int().default(1)
    .describe("Seed of the generated world; independent of the run's seed"),
  generated: sections.generated.prefault({}),
  airline: sections.airline.prefault({}),
  world: z.record(z.string(), z.unknown()).optional().describe(
    "Knobs of the generated world of any other domain",
  ),
  rows: rowOptionsSchema.prefault({}).describe(
    "Tasks drawn over the rows of the τ-bench checkout, in the place of its train tasks",
  ),
});

/**
 * Where a recipe has the knobs of a domain's world, below `data`.
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

/** Calls of a model over the network: each endpoint has its own. */
const callsSchema = z.strictObject({
  timeoutS: z.number().gt(0).default(60).describe(
    "Seconds until an attempt is given up",
  ),
  retries: count.default(6).describe("Attempts beyond the first"),
  backoffMs: positive.default(500).describe(
    "First wait between attempts; doubles, unless the server says how long",
  ),
  requestsPerMinute: count.default(0).describe(
    "Most calls a minute, all conversations together; 0 has no limit",
  ),
});

/** A model at an endpoint. */
export const endpointSchema = z.strictObject({
  provider: z.enum(PROVIDERS).default("openai").meta({
    description: "Whose API it is, or is compatible with",
    cli: {},
  }),
  model: z.string().min(1).nullable().default(null).meta({
    description: "The model's name at its provider",
    cli: { value: "NAME" },
  }),
  baseUrl: z.string().min(1).nullable().default(null).meta({
    description:
      "The endpoint; default: OPENAI_BASE_URL or OPENAI_API_BASE, else the provider's own",
    cli: { value: "URL" },
  }),
  temperature: z.number().min(0).nullable().default(null).describe(
    "Sampling temperature; default: the server's",
  ),
  maxTokens: positive.default(1024).describe("Most tokens of an answer"),
  extra: z.record(z.string(), z.unknown()).default({}).describe(
    "Further fields of the request's body; null leaves out one that the server refuses, such as seed",
  ),
  calls: callsSchema.prefault({}),
});

/** The simulated user. */
export const userSchema = z.strictObject({
  strategy: userName
    .default("scripted")
    .meta({
      description: "How the user is simulated; all but scripted ask a model",
      cli: { flag: "user" },
    }),
  attempts: positive.nullable().default(null).describe(
    "Most tries of verify (null: 3) and reflection (null: 2) at one message",
  ),
  endpoint: endpointSchema.prefault({}).meta({
    cli: { prefix: "user", of: "The user's model" },
  }),
});

/** Whether τ-bench's own behaviour counts where ours corrects it. */
export const compatSchema = z.boolean().default(false).meta({
  description:
    "Do as τ-bench's users and text agents do where that changes results",
  cli: {},
});

/** US dollars per million tokens. */
const priceSchema = z.strictObject({
  input: z.number().min(0),
  cachedInput: z.number().min(0).optional(),
  output: z.number().min(0),
});

/** What calls cost, by model name. */
export const pricesSchema = z.record(z.string(), priceSchema).default({})
  .meta({
    description:
      "By model name: input, cachedInput and output in US dollars per million tokens",
    mayChange: true,
  });

/** What a run may spend on models over the network. */
export const budgetSchema = z.strictObject({
  maxCost: z.number().gt(0).nullable().default(null).meta({
    description:
      "US dollars after which the run stops, by default no limit; a resumed run may be given more",
    cli: { value: "USD" },
  }),
  maxTokens: positive.nullable().default(null).meta({
    description:
      "Tokens after which the run stops, by default no limit; a resumed run may be given more",
    cli: {},
  }),
}).meta({ mayChange: true });
