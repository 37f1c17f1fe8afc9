/** Composes tasks of a two-sided domain as an in-memory dataset, without file access. */

import { z } from "zod";
import { partOf } from "../../domain.ts";
import { type DomainName, domainNamed } from "../../domains/registry.ts";
import { ConfigError } from "../../errors.ts";
import { parseOptions } from "../../generated/generated.ts";
import type { Dataset } from "../../types.ts";
import { BASE_SPLIT } from "./load_bundle.ts";
import { tau3Bench } from "./tau3_bench.ts";

/** The option that sets the number of tasks in the dataset, in addition to the composer's options. */
const sizeKnob = {
  tasks: z.int().min(3).max(10_000).default(500).describe(
    "Total number of tasks across all splits",
  ),
};

/**
 * Composes tasks with their databases, policy, tools and prompts. The texts are the same as those that `deno task mock`
 * writes to files. No combination of faults and no user appears in more than one split.
 * @param input The options of the domain's composer, and `tasks`, the number of tasks.
 * @throws {ConfigError} If an option is unknown or out of range, the domain has no composer, or no task satisfies the
 * options.
 */
export async function composedTasks(
  seed: number,
  input: Readonly<Record<string, unknown>>,
  { domain: key }: { readonly domain: DomainName },
): Promise<Dataset> {
  const domain = domainNamed(key);
  const { composer } = partOf(domain, "bundle");
  if (composer === undefined) {
    throw new ConfigError(`The domain "${key}" cannot generate tasks`, {
      hint: "set data.source to tau3-bench to use the benchmark's own tasks",
    });
  }
  const schema = composer.options.extend(sizeKnob);
  const { tasks, ...options } = parseOptions(schema, input, key);
  const { files } = composer.compose({ seed, count: Number(tasks), options });
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const dataset = await tau3Bench(texts, { domain: domain.name });
  // Every task is also in the base split.
  const splits = dataset.splits.filter((split) => split !== BASE_SPLIT);
  return { ...dataset, name: "generated", splits };
}
