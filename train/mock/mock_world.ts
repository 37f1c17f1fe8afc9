/**
 * Generates worlds from command-line settings, and reports their tasks, near-duplicates, coverage and a policy's solve
 * rates.
 */

import { duplicates } from "../../env/audit/duplicates.ts";
import type { Finding } from "../../env/audit/finding.ts";
import {
  loadTauBench,
  tauBenchDir,
} from "../../env/benchmarks/tau/tau_bench.ts";
import { partOf } from "../../env/domain.ts";
import {
  domainKey,
  type DomainName,
  domainNamed,
} from "../../env/domains/registry.ts";
import { type Coverage, coverageOf } from "../../env/generated/coverage.ts";
import { ConfigError } from "../../env/errors.ts";
import type { CertifiedDataset } from "../../env/generated/factory.ts";
import { generated } from "../../env/generated/generated.ts";
import { rowOptionsSchema } from "../../env/generated/row_options.ts";
import { splitSizes } from "../../env/generated/world_files.ts";
import { objectOf } from "../../env/schema_keys.ts";
import type { Task } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import {
  type Config,
  type ConfigKey,
  configKeys,
  type Override,
  parseSet,
  resolveConfig,
} from "../config/config.ts";
import { worldSection } from "../config/config_sections.ts";
import type { Exclusion } from "../config/exclusions.ts";
import { withRowTasks } from "../config/open_rows.ts";
import { openRunPolicy } from "../cpu/run_policy.ts";
import { composerOf } from "./mock_composed.ts";
import { measureRates, outside } from "../evaluation/curriculum.ts";
import { readRun } from "../runs/training_dir.ts";

/** Drawn tasks of any domain, from a generated world or from a benchmark's rows. */
export type World = CertifiedDataset;

/** Options for {@linkcode mockWorld}. */
export interface MockOptions {
  readonly env: DomainName;
  /** The total number of tasks across all splits; with `rows`, the number of train tasks. */
  readonly count: number;
  readonly seed: number;
  /**
   * Settings of the world or, with `rows`, of the drawn tasks, with keys as in their section of a recipe's `data`:
   * `refusedShare=0.2`, `intents.cancel=3`.
   */
  readonly set: readonly string[];
  /** A τ-bench checkout. If it is given, train tasks are drawn from its rows, and no world is generated. */
  readonly rows?: string | undefined;
  /** The splits and task files whose users are excluded. Default: the default of the setting `holdOut`. */
  readonly holdOut?: readonly string[];
}

/**
 * Generates a world, or draws tasks from a benchmark's rows, and certifies the tasks.
 * @throws {ConfigError} If a setting is unknown or has a wrong value, or if no task satisfies the settings.
 */
export async function mockWorld(
  { env, count, seed, set, rows, holdOut }: MockOptions,
  options: { readonly signal?: AbortSignal; readonly onTask?: () => void } = {},
): Promise<World> {
  const section = rows === undefined ? worldSection(env) : "rows";
  const knobs = set.map(parseSet).map(({ path, ...rest }) => ({
    ...rest,
    path: ["data", section, ...path],
  }));
  if (rows !== undefined) {
    const given = { trainTasks: count, seed, ...holdOut && { holdOut } };
    const all = Object.entries(given).map(([key, value]) => ({
      path: ["data", section, key],
      value,
      origin: `--${FLAGS[key]}`,
    }));
    const { data } = resolveIn(section, [...all, ...knobs]);
    const dataset = await loadTauBench(tauBenchDir(rows), env);
    return await withRowTasks(dataset, data.rows, options);
  }
  const sizes = Object.entries(splitSizes(count)).map(([split, value]) => ({
    path: ["data", section, `${split}Tasks`],
    value,
    origin: "--count",
  }));
  const { data } = resolveIn(section, [...sizes, ...knobs]);
  return await generated(seed, data[section], { ...options, domain: env });
}

/** Resolves a config. Errors name the settings of the section as `--set` does: without the section. */
function resolveIn(section: string, overrides: readonly Override[]): Config {
  try {
    return resolveConfig({ name: "mock", text: "" }, overrides);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const { message, hint } = error;
    const text = message.replaceAll(`data.${section}.`, "");
    throw new ConfigError(text, { hint, cause: error });
  }
}

/** The flags for the settings of tasks drawn from rows, keyed by setting. The other settings have no flag. */
const FLAGS: Readonly<Record<string, string>> = {
  trainTasks: "count",
  seed: "seed",
  holdOut: "hold-out",
};

/** Returns the settings of a world for `--help`, with keys as in {@linkcode MockOptions.set}. */
export function knobKeys(env: DomainName): ConfigKey[] {
  const options = composerOf(env)?.options ??
    partOf(domainNamed(env), "world").options;
  return configKeys(objectOf(options))
    .filter(({ key }) => !/^(train|dev|test)Tasks$/.test(key)); // set by --count
}

/** Returns the settings of tasks drawn from rows, except those that have a flag. */
export function rowKeys(): ConfigKey[] {
  return configKeys(rowOptionsSchema).filter(({ key }) => !(key in FLAGS));
}

/**
 * Returns an exclusion for each train task that the policy of a run solves too rarely or too often, or whose trials all
 * failed.
 */
export async function outsideRates(
  world: World,
  { run, range, trials, seed, ...options }: {
    /** The directory of the run. */
    readonly run: string;
    /** The minimum and maximum shares of solved trials. */
    readonly range: readonly [number, number];
    /** The number of episodes per task. */
    readonly trials: number;
    readonly seed: number;
    readonly signal: AbortSignal;
    readonly onEpisode: () => void;
  },
): Promise<Exclusion[]> {
  await using opened = await openRunPolicy(await readRun(run));
  const { concurrency, maxTurns } = opened.run.config.rollout;
  const rates = await measureRates({
    ...options,
    dataset: world,
    tasks: world.tasks("train"),
    agent: await opened.agent({ temperature: 1, dataset: world }),
    user: scriptedUser(world),
    trials,
    seed,
    concurrency,
    maxTurns,
  });
  return outside(rates, range);
}

/**
 * Returns a finding for each drawn task that is a near-duplicate of an earlier drawn task or of a benchmark's task in
 * the dataset. If `tauBench`, a τ-bench checkout, is given, its test tasks are compared too.
 */
export async function nearDuplicates(
  world: World,
  tauBench: string | undefined,
): Promise<Finding[]> {
  const all = world.splits.flatMap((split) => world.tasks(split));
  const isOwn = ({ id }: Task) => world.certificates.has(id);
  const theirs = [
    ...tauBench
      ? (await loadTauBench(tauBench, domainKey(world))).tasks("test")
      : [],
    ...all.filter((task) => !isOwn(task)),
  ];
  const marked = theirs.map((task) => ({ ...task, id: `τ-bench ${task.id}` }));
  const own = all.filter(isOwn);
  return duplicates({ dataset: world, tasks: [...marked, ...own] })
    .filter(({ taskId }) => !taskId.startsWith("τ-bench"));
}

/** Returns how often the world's tasks test each clause of the policy. */
export function worldCoverage(world: World): readonly Coverage[] {
  return coverageOf(domainKey(world), world.certificates.values());
}
