/** Compares the configs and the rewards of two runs. */

import { join } from "node:path";
import { parse } from "yaml";
import { renameOldKeys } from "../../train/config/old_names.ts";
import type { RunEpisode } from "../../train/runs/run_episodes.ts";
import type { Estimate } from "../../train/evaluation/interval.ts";
import { readTextIfThere } from "../../train/runs/storage.ts";
import { pairedMean } from "../viewer/page/paired.js";
import type { Rich } from "./rich.ts";
import type { Run } from "./run.ts";
import { table } from "./table.ts";

/**
 * The difference between the mean rewards of two runs, with its 95% interval. Values are from -1 to 1. All values are
 * NaN if the runs have no task in common.
 */
export interface Difference extends Estimate {
  /** The number of tasks that both runs tried. */
  readonly tasks: number;
}

/**
 * Estimates how much higher the mean reward of the second run is on the tasks that both runs tried. For each task, the
 * first run's mean reward is subtracted from the second run's, and these differences are averaged. Because of this
 * pairing, differences in difficulty between tasks do not widen the interval.
 * @param before Scored episodes of the first run, such as its last evaluation.
 * @param after Scored episodes of the second run.
 */
export function pairedDifference(
  before: readonly RunEpisode[],
  after: readonly RunEpisode[],
): Difference {
  return pairedMean(meanByTask(before), meanByTask(after));
}

function meanByTask(episodes: readonly RunEpisode[]): Map<string, number> {
  const scored = episodes.filter(({ record }) => record.reward !== null);
  return new Map(
    [...Map.groupBy(scored, ({ task }) => task.id)].map(([task, trials]) => [
      task,
      trials.reduce((sum, { record }) => sum + record.reward!, 0) /
      trials.length,
    ]),
  );
}

/** Shows the config keys that have different values in two runs, with one key per line. */
export async function showConfigDifference(a: Run, b: Run): Promise<Rich> {
  const [left, right] = await Promise.all([leavesOf(a), leavesOf(b)]);
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  return table(
    keys.filter((key) => left.get(key) !== right.get(key)).map((key) => ({
      key,
      [a.name]: left.get(key) ?? null,
      [b.name]: right.get(key) ?? null,
    })),
  );
}

async function leavesOf({ path }: Run): Promise<Map<string, string>> {
  const text = await readTextIfThere(join(path, "config.yaml")) ?? "";
  const config = parse(text) ?? {};
  renameOldKeys(config);
  return new Map(flatten(config, ""));
}

function flatten(value: unknown, path: string): [string, string][] {
  const isRecord = typeof value === "object" && value !== null &&
    !Array.isArray(value);
  if (!isRecord) return [[path, JSON.stringify(value)]];
  return Object.entries(value).flatMap(([key, member]) =>
    flatten(member, path === "" ? key : `${path}.${key}`)
  );
}
