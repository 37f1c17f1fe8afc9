/** Defines flags that several tasks share. */

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

/** Flags for the budget of remote models. A resumed run may have a higher budget. */
export const budgetFlags = flagsOf(budgetSchema) as Record<
  "maxCost" | "maxTokens",
  z.ZodType<number | undefined>
>;

/**
 * The flag for the directory of τ-bench's data. Resolve its value with `tauBenchDir()`, or apply it to a config with
 * {@linkcode benchmarkOverrides}.
 */
export const tauBenchFlag = z.string().optional().meta({
  description:
    "Directory of tau-bench's data: a bundle written by deno task import, or a checkout",
  value: "DIR",
  env: "TAU_BENCH_DIR",
  isPath: anyPath,
});

/** The flag for the directory of τ³-bench's data. */
export const tau3BenchFlag = z.string().optional().meta({
  description: "Directory of tau3-bench's data: a bundle or a checkout",
  value: "DIR",
  env: "TAU3_BENCH_DIR",
  isPath: anyPath,
});

/** The benchmarks, with the key of the flag that names their directory. */
const BENCHMARK_FLAGS = [
  { benchmark: "tau-bench", key: "tauBench" },
  { benchmark: "tau3-bench", key: "tau3Bench" },
] as const;

/** Options for {@linkcode benchmarkOverrides}, {@linkcode refuseUnusedBenchmark} and {@linkcode withBenchmark}. */
export interface BenchmarkRule {
  /**
   * The flag that selects a benchmark as the source of data, for the hint; `null` if no flag does. Default:
   * `--data`.
   */
  readonly selectedBy?: "--data" | "--source" | null;
  /** The command line. Default: that of this process. */
  readonly argv?: readonly string[];
}

/**
 * Returns the config override for the directory of the source's benchmark. Returns an empty list if the data is
 * generated, or the directory was neither passed nor set in the environment. `--set data.directory=…` takes precedence
 * over the environment.
 * @throws {ConfigError} If the command line names the directory of another benchmark.
 */
export function benchmarkOverrides(
  dirs: BenchmarkDirs,
  source: string,
  rule: BenchmarkRule = {},
): Override[] {
  const { argv = Deno.args } = rule;
  refuseUnusedBenchmark(dirs, source, rule);
  return BENCHMARK_FLAGS.flatMap(({ benchmark, key }) => {
    const value = dirs[key];
    if (benchmark !== source || value === undefined) return [];
    const isSet = valuesOf(argv, "set").some((one) =>
      one.startsWith("data.directory=")
    );
    if (isSet && !isPassed(benchmark, argv)) return [];
    const path = ["data", "directory"];
    return [{ path, value, origin: `--${benchmark} ${value}` }];
  });
}

/**
 * Rejects a benchmark's directory on the command line if the data does not come from it. The environment variables are
 * allowed, since they may be set for other commands.
 * @param source The source of the data or, if the command uses no data, a phrase for the error that says what the
 * command works on.
 * @throws {ConfigError} If the command line names a directory that is not used.
 */
export function refuseUnusedBenchmark(
  dirs: BenchmarkDirs,
  source: string,
  { selectedBy = "--data", argv = Deno.args }: BenchmarkRule = {},
): void {
  const unused = BENCHMARK_FLAGS.find(({ benchmark, key }) =>
    benchmark !== source && dirs[key] !== undefined &&
    isPassed(benchmark, argv)
  );
  if (unused === undefined) return;
  const { benchmark, key } = unused;
  const isBenchmark = BENCHMARK_FLAGS.some((one) => one.benchmark === source);
  const what = source === "generated"
    ? "the generated world"
    : isBenchmark
    ? `tasks from ${source}`
    : source;
  const select = selectedBy === null
    ? ""
    : `pass ${selectedBy} ${benchmark}, or `;
  throw new ConfigError(
    `--${benchmark} "${dirs[key]}" has no effect on ${what}`,
    { hint: `${select}omit --${benchmark}` },
  );
}

/** The flags that decide whether a command uses τ³-bench without `--data`. */
interface Tau3Selection extends Pick<BenchmarkDirs, "tau3Bench"> {
  readonly data?: unknown;
  readonly env?: unknown;
}

/**
 * Checks whether a command line selects τ³-bench without `--data`: by the benchmark's directory, or by one of its
 * domains if the environment names the directory. The environment variable alone selects nothing.
 */
export function selectsTau3(
  { data, env, tau3Bench }: Tau3Selection,
  argv: readonly string[] = Deno.args,
): boolean {
  const isSet = data !== undefined ||
    valuesOf(argv, "set").some((one) => one.startsWith("data.source="));
  const isItsDomain = tau3Bench !== undefined &&
    String(env).startsWith("tau3.");
  return !isSet && (isItsDomain || isPassed("tau3-bench", argv));
}

/** Returns the config override that makes τ³-bench the source of data if the command line selects it. */
export function tau3SourceOverride(
  flags: Tau3Selection,
  argv: readonly string[] = Deno.args,
): Override[] {
  if (!selectsTau3(flags, argv)) return [];
  const origin = `--tau3-bench ${flags.tau3Bench}`;
  return [{ path: ["data", "source"], value: "tau3-bench", origin }];
}

/** Returns whether a command line has a flag. If it does not, the flag's value, if any, is from the environment. */
export function isPassed(
  flag: string,
  argv: readonly string[] = Deno.args,
): boolean {
  return valuesOf(argv, flag).length > 0;
}

/**
 * Returns all values of a flag in an unparsed command line. Both `--set rl.steps=4` and `--set=rl.steps=4` are
 * recognized.
 */
export function valuesOf(argv: readonly string[], flag: string): string[] {
  return argv.flatMap((word, i) => {
    if (word === `--${flag}`) return argv.slice(i + 1, i + 2);
    const prefix = `--${flag}=`;
    return word.startsWith(prefix) ? [word.slice(prefix.length)] : [];
  });
}

/**
 * Returns a slime recipe with the directory of its benchmark's data, or unchanged if its data is generated. The
 * directory comes from a flag, from the recipe, or from a previous import by `deno task setup` on this machine.
 * @throws {ConfigError} If the command line names the directory of another benchmark.
 */
export async function withBenchmark(
  slime: ResolvedSlime,
  dirs: BenchmarkDirs,
  rule: BenchmarkRule = {},
): Promise<ResolvedSlime> {
  const { config } = slime;
  const { source } = config.data;
  refuseUnusedBenchmark(dirs, source, rule);
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

/** Returns the config overrides that enable the trackers that `--track` names. */
export function trackOverrides(
  { track }: { readonly track: readonly TrackerName[] },
): Override[] {
  return track.map((name) => ({
    path: ["tracking", name],
    value: true,
    origin: `--track ${name}`,
  }));
}

/** The flag for the directory that contains the runs. */
export const runsFlag = z.string().min(1).default("runs").meta({
  description: "Directory of the runs",
  value: "DIR",
  env: "TAULAB_RUNS",
  isPath: anyPath,
});

/** The flag for the file that describes the hosts. */
export const hostsFlag = z.string().min(1).default("hosts.yaml").meta({
  description: "YAML file that describes the hosts",
  value: "FILE",
  isPath: anyPath,
});

/**
 * Checks that the path of an output directory is not that of a file.
 * @throws {ConfigError} If it is a file.
 */
export async function refuseFile(directory: string): Promise<void> {
  const stat = await Deno.stat(directory).catch(() => null);
  if (stat === null || stat.isDirectory) return;
  throw new ConfigError(`"${directory}" is a file, not a directory`, {
    hint: "choose another directory to write to",
  });
}

/** Returns the path of a run from its name or its path. A path contains a slash, and a name does not. */
export function runPath(given: string, runs: string): string {
  return given.includes("/") ? given : join(runs, given);
}

/** The flag for values that override keys of a recipe. */
export const setFlag = z.array(z.string()).default([]).meta({
  description: "Set a key of the recipe; may be repeated",
  value: "KEY=VALUE",
});

/** The flags of a run: its name and directory, its trackers, how to resume it, and keys that override its recipe. */
export const runFlags = {
  set: setFlag,
  track: z.array(z.enum(TRACKERS)).default([]).meta({
    description:
      "Send the run to a tracker as it progresses, with the settings in the recipe's tracking section; may be repeated",
    value: "NAME",
  }),
  name: z.string().regex(
    // ".." would be another directory.
    /^\w[\w.-]*$/,
    "expected ASCII letters, digits, dots, dashes and underscores, beginning with a letter, digit or underscore",
  ).optional().meta({
    description: "Name of the run; default: derived from its data and the time",
  }),
  runs: runsFlag,
  resume: z.union([z.literal(true), z.string()]).optional().meta({
    description: "Resume a run; default: the most recent unfinished one",
    value: "RUN",
    valueOptional: true,
    isPath: runPathOnly,
  }),
  discard: z.boolean().default(false).meta({
    description:
      "With --resume: if files of the run are missing or damaged, go back to the last intact checkpoint and delete everything after it",
  }),
};

/**
 * Returns the permission to write to the directory of the runs, and to the runs in other directories that flags name.
 */
export function writesRuns(
  runs: string,
  ...named: readonly (string | true | undefined)[]
): Confinement {
  const elsewhere = named.filter((one) => typeof one === "string")
    .map((one) => runPath(one, runs));
  return { write: [runs, ...elsewhere] };
}

/**
 * Returns the path of the run that `--resume` names. If it names none, returns the path of the most recent unfinished
 * run of the given kind.
 * @throws {ConfigError} If `--resume` names no run and there is no unfinished run.
 */
export async function runNamed(
  { resume, runs }: { resume?: string | true | undefined; runs: string },
  kind: "train" | "evaluate" = "train",
): Promise<string> {
  if (typeof resume === "string") return runPath(resume, runs);
  const path = await latestUnfinished(runs, kind);
  if (path !== undefined) return path;
  const what = kind === "train" ? "training run" : "evaluation";
  throw new ConfigError(
    `There is no unfinished ${what} in "${runs}"`,
    { hint: "omit --resume to start a new one, or pass --resume RUN" },
  );
}
