/** Provides slime recipes and made-up facts for plans, so that tests need no data, hosts or runs. */

import { parseSet, type Recipe } from "../../train/config/config.ts";
import {
  type ResolvedSlime,
  resolveSlime,
} from "../../train/slime/slime_config.ts";
import type { LaunchFacts } from "../../train/slime/plan/slime_plan.ts";
import type { PlanData } from "../../train/slime/plan/slime_rows.ts";

/** The names of all slime recipes in the repository. */
export const SLIME_RECIPES = [
  "qwen3-0.6b",
  "qwen3-1.7b",
  "qwen3-30b-a3b",
  "qwen3-4b",
  "qwen3-8b",
  "qwen3-8b-2nodes",
] as const;

/** Reads a slime recipe in the repository by its name. */
export async function slimeRecipe(
  name: typeof SLIME_RECIPES[number],
): Promise<Recipe> {
  const url = new URL(`../../train/recipes/${name}.yaml`, import.meta.url);
  return { name: `${name}.yaml`, text: await Deno.readTextFile(url) };
}

/** Resolves a slime recipe with overrides of the form `KEY=VALUE`. */
export async function slimeOf(
  name: typeof SLIME_RECIPES[number],
  ...sets: readonly string[]
): Promise<ResolvedSlime> {
  return resolveSlime(await slimeRecipe(name), sets.map(parseSet));
}

/** The data for a plan, with the same number of rows as τ-bench's retail domain. */
export const RETAIL_ROWS: PlanData = {
  rows: [rows("train", 500), rows("dev", 20)],
  promptTokens: 4_000,
  fingerprint: "f",
};

/**
 * Returns the facts for the first session of a run, with the given changes. By default, the NVLink topology of the
 * hosts is unknown.
 */
export function slimeFactsOf(facts: Partial<LaunchFacts> = {}): LaunchFacts {
  return {
    run: "a1",
    session: 1,
    hosts: [
      { name: "gpu1", address: "10.0.0.11" },
      { name: "gpu2", address: "10.0.0.12" },
    ],
    hooks: { "generate.py": "# hooks\n" },
    runDir: "runs/a1",
    data: RETAIL_ROWS,
    nvlink: null,
    routerPolicies: ["cache_aware", "consistent_hashing"],
    measured: null,
    measuredTraining: null,
    notes: [],
    ...facts,
  };
}

function rows(split: "train" | "dev", count: number): PlanData["rows"][number] {
  return {
    split,
    fileName: `retail_${split}_tasks.jsonl`,
    rows: count,
    text: `{"index": 0}\n`.repeat(count),
  };
}
