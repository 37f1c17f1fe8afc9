/**
 * The generated worlds, taulab's built-in datasets: rows in τ-bench's format, tasks with a structured goal and a
 * certificate, and taulab's own policies and tool descriptions. The same seed and options give the same bytes on every
 * machine.
 */

import type { z } from "zod";
import { keyOf, partOf } from "../domain.ts";
import {
  type BuiltInDomain,
  type DomainName,
  domainNamed,
} from "../domains/registry.ts";
import { ConfigError } from "../errors.ts";
import { suggestion } from "../schema_issue.ts";
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

/** The settings of a domain's worlds as passed by a caller. */
export type WorldInput<N extends DomainName = "retail"> = z.input<
  OptionsSchema<N>
>;

/** The settings of a domain's worlds with defaults filled in. */
export type WorldOptions<N extends DomainName = "retail"> = z.output<
  OptionsSchema<N>
>;

/** A task of a domain's worlds, with its goal. */
export type WorldTask<N extends DomainName = "retail"> = N extends
  BuiltInDomain["name"] ? Parameters<
    Extract<BuiltInDomain, { readonly name: N }>["goals"]["wrongWrites"]
  >[0]
  : Task;

/**
 * Generates a world of a domain with a certificate for every task. Splits have no users and no users' rows in common;
 * they share only public rows, such as the store's products or the flights.
 *
 * @throws {ConfigError} If an option is unknown or out of range, or if these options allow no task for one of the
 * intents.
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

/**
 * Parses the settings of a world.
 * @throws {ConfigError} If a setting is unknown or out of range. The message names every setting that is out of range,
 * and the first unknown setting of each section.
 */
export function parseOptions<S extends z.ZodType>(
  schema: S,
  input: unknown,
  domain: string,
): z.output<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => explain(issue, schema));
  throw new ConfigError(
    `Cannot generate the ${domain} world with these options: ${
      wrong.join("; ")
    }`,
    { cause: parsed.error },
  );
}

function explain(issue: z.core.$ZodIssue, schema: z.ZodType): string {
  const at = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") {
    return `${at.join(".") || "options"}: ${issue.message}`;
  }
  const pathOf = (key: string) => [...at, key].join(".");
  const path = pathOf(issue.keys[0] ?? "");
  const known = knownKeys(schema, at).map(pathOf);
  return `unknown option "${path}"${suggestion(path, known)}`;
}
