/** Data of a plan: as a config has them, but with no more tasks than it takes to measure. */

import { domainNamed } from "../../env/domains/registry.ts";
import type { Split } from "../../env/types.ts";
import type { Config } from "./config.ts";
import { worldSection } from "./config_sections.ts";

/** Most tasks of a split that a plan draws. */
export const SAMPLE_TASKS = 4_000;

/** A config's data for a plan. */
export interface SampledData {
  readonly data: Config["data"];
  /** How many tasks the config asks for, of splits of which fewer are drawn. */
  readonly asked: Readonly<Partial<Record<Split, number>>>;
}

/** Limits how many tasks are drawn of each split. Tasks that a benchmark has, or that are composed, are few and stay. */
export function sampleOf(
  data: Config["data"],
  most = SAMPLE_TASKS,
): SampledData {
  const isComposed = domainNamed(data.domain).bundle?.composer !== undefined;
  if (data.source === "tau3-bench" || isComposed) return { data, asked: {} };
  const section = data.source === "tau-bench" ? "rows" : worldSection(
    data.domain,
  );
  const knobs: Record<string, unknown> = { ...data[section] };
  const asked: Partial<Record<Split, number>> = {};
  for (const split of ["train", "dev", "test"] as const) {
    const count = knobs[`${split}Tasks`];
    if (typeof count !== "number" || count <= most) continue;
    asked[split] = count;
    knobs[`${split}Tasks`] = most;
  }
  return { data: { ...data, [section]: knobs }, asked };
}
