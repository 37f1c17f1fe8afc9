/**
 * The generated worlds, taulab's embedded datasets: rows in τ-bench's format, tasks with a structured goal and a
 * certificate, policy and tool descriptions of our own. The same seed and options give the same bytes anywhere.
 */

import type { z } from "zod";
import { ConfigError } from "../errors.ts";
import { nearest } from "../explain.ts";
import { knownKeys } from "../schema_keys.ts";
import { generatedAirline } from "../domains/airline/world/draw_world.ts";
import {
  type AirlineOptions,
  type AirlineOptionsInput,
  airlineOptionsSchema,
} from "../domains/airline/world/options.ts";
import {
  type GeneratedDataset,
  type GenerateHooks,
  generateWorld,
} from "./factory.ts";
import { generatedRetail } from "../domains/retail/world/draw_world.ts";
import {
  type GeneratedOptions,
  type GeneratedOptionsInput,
  generatedOptionsSchema,
} from "../domains/retail/world/options.ts";

export type { GeneratedDataset } from "./factory.ts";

/**
 * Generates a retail world. Every task holds its certificate; the splits share no user and no order, only the store's
 * products.
 *
 * @throws {ConfigError} If an option is unknown or out of range, or an intent has no possible task.
 * @example
 * ```ts
 * import { ok } from "node:assert/strict";
 * import { generated } from "./generated.ts";
 *
 * // Nobody has a question; the other intents keep their weights.
 * const dataset = await generated(1, { trainTasks: 40, intents: { question: 0 } });
 * const tasks = dataset.tasks("train");
 * ok(tasks.every(({ intent }) => !intent?.includes("question")));
 * ok(tasks.every(({ id }) => dataset.certificates.has(id)));
 * ```
 */
export async function generated(
  seed: number,
  input: GeneratedOptionsInput = {},
  hooks: GenerateHooks = {},
): Promise<GeneratedDataset<GeneratedOptions>> {
  const options = parseOptions(generatedOptionsSchema, input, "retail");
  return await generateWorld(generatedRetail, { seed, options, ...hooks });
}

/**
 * Generates an airline world. Every task holds its certificate; the splits share no user and no reservation, only the
 * flights.
 *
 * @throws {ConfigError} If an option is unknown or out of range, or an intent has no possible task.
 */
export async function generatedAirlineWorld(
  seed: number,
  input: AirlineOptionsInput = {},
  hooks: GenerateHooks = {},
): Promise<GeneratedDataset<AirlineOptions>> {
  const options = parseOptions(airlineOptionsSchema, input, "airline");
  return await generateWorld(generatedAirline, { seed, options, ...hooks });
}

function parseOptions<S extends z.ZodType>(
  schema: S,
  input: unknown,
  domain: string,
): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => explain(issue, schema));
  throw new ConfigError(
    `Cannot generate the ${domain} world of these options: ${wrong.join("; ")}`,
    { cause: parsed.error },
  );
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const at = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") {
    return `${at.join(".") || "options"}: ${issue.message}`;
  }
  const key = issue.keys[0] ?? "";
  const best = nearest(key, knownKeys(schema, at)) ?? "";
  return `there is no option "${[...at, key].join(".")}"; the nearest is "${
    [...at, best].join(".")
  }"`;
}
