/** Tasks that a domain of a two-sided benchmark composes, as a dataset in memory: nothing is read and nothing written. */

import { z } from "zod";
import { partOf } from "../../domain.ts";
import { type DomainName, domainNamed } from "../../domains/registry.ts";
import { ConfigError } from "../../errors.ts";
import { parseOptions } from "../../generated/generated.ts";
import type { Dataset } from "../../types.ts";
import { BASE_SPLIT } from "./load_bundle.ts";
import { tau3Bench } from "./tau3_bench.ts";

/** The knob that a dataset has beside those of the composer. */
const sizeKnob = {
  tasks: z.int().min(3).max(10_000).default(500).describe(
    "Tasks of all splits",
  ),
};

/**
 * Composes tasks with their databases, policy, tools and prompts, as the files of `deno task mock` have them. No
 * combination of faults and no customer is in two splits.
 * @param input Knobs of the domain's composer, and `tasks`, how many of them.
 * @throws {ConfigError} If a knob is unknown or out of range, the domain has no composer, or nothing fits the knobs.
 */
export async function composedTasks(
  seed: number,
  input: Readonly<Record<string, unknown>>,
  { domain: key }: { readonly domain: DomainName },
): Promise<Dataset> {
  const domain = domainNamed(key);
  const { composer } = partOf(domain, "bundle");
  if (composer === undefined) {
    throw new ConfigError(`The domain "${key}" composes no tasks`, {
      hint: "read the benchmark's own by data.source tau3-bench",
    });
  }
  const schema = composer.options.extend(sizeKnob);
  const { tasks, ...options } = parseOptions(schema, input, key);
  const { files } = composer.compose({ seed, count: Number(tasks), options });
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const dataset = await tau3Bench(texts, { domain: domain.name });
  // All tasks are of the base split, beside their own.
  const splits = dataset.splits.filter((split) => split !== BASE_SPLIT);
  return { ...dataset, name: "generated", splits };
}
