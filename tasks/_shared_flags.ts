/** Flags that several tasks share. */

import { join } from "node:path";
import { z } from "zod";
import { ConfigError } from "../env/errors.ts";
import type { Override } from "../train/config/config.ts";
import { flagsOf } from "../train/config/config_flags.ts";
import { budgetSchema } from "../train/config/config_sections.ts";
import { type BenchmarkDirs, dataAt } from "../train/config/open_dataset.ts";
import {
  type Benchmark,
  hostTaulab,
} from "../train/slime/setup/host_taulab.ts";
import type { ResolvedSlime } from "../train/slime/slime_config.ts";
import {
  type TrackerName,
  TRACKERS,
} from "../train/tracking/tracking_schema.ts";
import { latestUnfinished } from "../train/runs/run_reader.ts";
import { anyPath, runPathOnly } from "./_caller_paths.ts";
import type { Confinement } from "./_confine.ts";

/** What models over the network may use; a run that is resumed may be given more. */
export const budgetFlags = flagsOf(budgetSchema) as Record<
  "maxCost" | "maxTokens",
  z.ZodType<number | undefined>
>;

/** Where τ-bench's data are. What is made of it: `tauBenchDir()`, and in a config {@linkcode tauBenchOverride}. */
export const tauBenchFlag = z.string().optional().meta({
  description:
    "Directory of tau-bench's data, as deno task import writes it, or a checkout",
  value: "DIR",
  env: "TAU_BENCH_DIR",
  isPath: anyPath,
});

/** Where τ³-bench's data are. */
export const tau3BenchFlag = z.string().optional().meta({
  description: "Directory of tau3-bench's data: a bundle or a checkout",
  value: "DIR",
  env: "TAU3_BENCH_DIR",
  isPath: anyPath,
});

/** The directory as a config's, where its dataset is τ³-bench; a directory that is given makes it that. */
export function tau3BenchOverrides(
  tau3Bench: string | undefined,
  source?: string,
): Override[] {
  if (tau3Bench === undefined) return [];
  const origin = `--tau3-bench ${tau3Bench}`;
  const directory = { path: ["data", "directory"], value: tau3Bench, origin };
  if (source === "tau3-bench") return [directory];
  return source === undefined
    ? [{ path: ["data", "source"], value: "tau3-bench", origin }, directory]
    : [];
}

/** The directory as a config's, where its dataset is τ-bench. */
export function tauBenchOverride(
  tauBench: string | undefined,
  source = "tau-bench",
): Override[] {
  if (tauBench === undefined || source !== "tau-bench") return [];
  const path = ["data", "directory"];
  return [{ path, value: tauBench, origin: `--tau-bench ${tauBench}` }];
}

/**
/**
 * A slime recipe with the directory of its benchmark's data: that of a flag, the recipe's, or what `deno task setup`
 * has imported on this machine.
 */
export async function withBenchmark(
  slime: ResolvedSlime,
  dirs: BenchmarkDirs,
): Promise<ResolvedSlime> {
  const { config } = slime;
  const { source } = config.data;
  if (source === "generated") return slime;
  const data = dataAt(config.data, dirs);
  const directory = data.directory ?? await importedData(source);
  return { ...slime, config: { ...config, data: { ...data, directory } } };
}

async function importedData(source: Benchmark): Promise<string | null> {
  const home = Deno.env.get("HOME");
  if (!home) return null;
  const { data: path } = hostTaulab().benchmarks[source];
  const data = path.replace(/^~/, home);
  const isThere = await Deno.lstat(join(data, "SOURCE.json"))
    .then(() => true, () => false);
  return isThere ? data : null;
}

/** The trackers of `--track` as keys of a config. */
export function trackOverrides(
  { track }: { readonly track: readonly TrackerName[] },
): Override[] {
  return track.map((name) => ({
    path: ["tracking", name],
    value: true,
    origin: `--track ${name}`,
  }));
}

/** Where runs are. */
export const runsFlag = z.string().min(1).default("runs").meta({
  description: "Directory of the runs",
  value: "DIR",
  env: "TAULAB_RUNS",
  isPath: anyPath,
});

/** Where hosts are described. */
export const hostsFlag = z.string().min(1).default("hosts.yaml").meta({
  description: "The file that says how hosts are reached",
  value: "FILE",
  isPath: anyPath,
});

/** A run that is named, or given by its path, which has a slash. */
export function runPath(given: string, runs: string): string {
  return given.includes("/") ? given : join(runs, given);
}

/** What is set over a recipe. */
export const setFlag = z.array(z.string()).default([]).meta({
  description: "Set a key of the recipe; may be repeated",
  value: "KEY=VALUE",
});

/** Where a run is, and what is set over its recipe. */
export const runFlags = {
  set: setFlag,
  track: z.array(z.enum(TRACKERS)).default([]).meta({
    description:
      "Show the run in a tracker while it works, as the recipe's tracking has it; may be repeated",
    value: "NAME",
  }),
  name: z.string().regex(
    // ".." would be another directory.
    /^\w[\w.-]*$/,
    "letters, digits, dots, dashes and underscores only, a letter or digit first",
  ).optional().meta({
    description: "Name of the run; default: what it is of, and the time",
  }),
  runs: runsFlag,
  resume: z.union([z.literal(true), z.string()]).optional().meta({
    description: "Continue a run, by default the last that is not completed",
    value: "RUN",
    valueOptional: true,
    isPath: runPathOnly,
  }),
  discard: z.boolean().default(false).meta({
    description:
      "With --resume: where files of the run are lost or damaged, go back to what is whole and delete the rest",
  }),
};

/** What the work of a run may write: the directory of the runs, and runs elsewhere that flags name. */
export function writesRuns(
  runs: string,
  ...named: readonly (string | true | undefined)[]
): Confinement {
  const elsewhere = named.filter((one) => typeof one === "string")
    .map((one) => runPath(one, runs));
  return { write: [runs, ...elsewhere] };
}

/**
 * The path of the run that `--resume` names, or else of the last of its kind that is not completed.
 * @throws {ConfigError} If it names none and there is none.
 */
export async function runNamed(
  { resume, runs }: { resume?: string | true | undefined; runs: string },
  kind: "train" | "evaluate" = "train",
): Promise<string> {
  if (typeof resume === "string") return runPath(resume, runs);
  const path = await latestUnfinished(runs, kind);
  if (path !== undefined) return path;
  const what = kind === "train" ? "run" : "evaluation";
  throw new ConfigError(
    `There is no ${what} to resume in "${runs}": all are completed`,
    { hint: "leave --resume out to start one" },
  );
}
