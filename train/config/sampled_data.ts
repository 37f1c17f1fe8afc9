/** Reduces a config's data to the tasks that a plan or a split needs. */

import { domainNamed } from "../../env/domains/registry.ts";
import type { Split } from "../../env/types.ts";
import type { Config } from "./config.ts";
import { worldSection } from "./config_sections.ts";

/** The maximum number of tasks that a plan draws per split. */
export const SAMPLE_TASKS = 4_000;

/** A config's data, reduced for a plan. */
export interface SampledData<T extends Config["data"]> {
  readonly data: T;
  /** The number of tasks that the config requests, for each split that was reduced. */
  readonly asked: Readonly<Partial<Record<Split, number>>>;
}

/**
 * Limits the number of drawn tasks per split. A benchmark's own tasks and composed tasks are kept, because they are
 * few.
 */
export function sampleOf<T extends Config["data"]>(
  data: T,
  most = SAMPLE_TASKS,
): SampledData<T> {
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

/**
 * Returns the data without the tasks drawn from a benchmark's rows, unless the split is train. These tasks all belong
 * to train and take many seconds to draw. Data with exclusions is returned unchanged, because exclusions may name the
 * drawn tasks.
 */
export function dataOfSplit<T extends Config["data"]>(
  data: T,
  split: Split,
): T {
  return split === "train" || data.exclude !== null
    ? data
    : { ...data, rows: { ...data.rows, trainTasks: 0 } };
}
