/**
 * The generated worlds, taulab's embedded datasets: rows in τ-bench's format, tasks with a structured goal and a
 * certificate, policy and tool descriptions of our own. The same seed and options give the same bytes anywhere.
 */

import type { z } from "zod";
import { keyOf, partOf } from "../domain.ts";
import {
  type BuiltInDomain,
  type DomainName,
  domainNamed,
} from "../domains/registry.ts";
import { ConfigError } from "../errors.ts";
import { nearest } from "../schema_issue.ts";
import { knownKeys } from "../schema_keys.ts";
import type { Task } from "../types.ts";
import {
  type GeneratedDataset,
  type GenerateHooks,
  generateWorld,
} from "./factory.ts";

export type { GeneratedDataset } from "./factory.ts";

type OptionsSchema<N> = N extends BuiltInDomain["name"]
  ? Extract<BuiltInDomain, { readonly name: N }>["world"]["options"]
  : z.ZodType<Record<string, unknown>, Record<string, unknown>>;

/** The knobs of a domain's worlds, as they are given. */
export type WorldInput<N extends DomainName = "retail"> = z.input<
  OptionsSchema<N>
>;

/** The knobs of a domain's worlds, with their defaults. */
export type WorldOptions<N extends DomainName = "retail"> = z.output<
  OptionsSchema<N>
>;

/** The tasks of a domain's worlds, each with its goal. */
export type WorldTask<N extends DomainName = "retail"> = N extends
  BuiltInDomain["name"] ? Parameters<
    Extract<BuiltInDomain, { readonly name: N }>["goals"]["strays"]
  >[0]
  : Task;

/**
 * Generates a world of a domain. Every task holds its certificate; the splits share no user and no row of one, only what
 * all users share: the store's products, the flights.
 *
 * @throws {ConfigError} If an option is unknown or out of range, or an intent has no possible task.
 * @throws {MissingPartError} If the domain has no generator.
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
 *
 * const flights = await generated(1, { trainTasks: 5 }, { domain: "airline" });
 * ok(flights.tasks("train").every(({ domain }) => domain === "airline"));
 * ```
 */
export async function generated<N extends DomainName = "retail">(
  seed: number,
  input?: WorldInput<N>,
  { domain: name, ...hooks }:
    & { readonly domain?: N | undefined }
    & GenerateHooks = {},
): Promise<GeneratedDataset<WorldOptions<N>, WorldTask<N>>> {
  const domain = domainNamed(name ?? "retail");
  const { options: schema } = partOf(domain, "world");
  const options = parseOptions(schema, input ?? {}, keyOf(domain));
  const world = await generateWorld(domain, { seed, options, ...hooks });
  return world as GeneratedDataset<WorldOptions<N>, WorldTask<N>>;
}

/** The knobs of a world, checked. @throws {ConfigError} Names each that is unknown or out of range. */
export function parseOptions<S extends z.ZodType>(
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
