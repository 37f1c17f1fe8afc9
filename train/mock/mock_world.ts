/** A generated world as a command line asks for it: its knobs, its tasks, and which of them a policy solves how often. */

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
import type { CertifiedDataset } from "../../env/generated/factory.ts";
import { generated } from "../../env/generated/generated.ts";
import { rowOptionsSchema } from "../../env/generated/row_options.ts";
import { splitSizes } from "../../env/generated/world_files.ts";
import { objectOf } from "../../env/schema_keys.ts";
import type { Task } from "../../env/types.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import {
  type ConfigKey,
  configKeys,
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

/** Tasks that were drawn, of whichever domain: of a generated world, or over a benchmark's rows. */
export type World = CertifiedDataset;

/** Which world. */
export interface MockOptions {
  readonly env: DomainName;
  /** Tasks of all splits. */
  readonly count: number;
  readonly seed: number;
  /** Its knobs, as a recipe has them below `data`: `refusedShare=0.2`, `intents.cancel=3`. */
  readonly set: readonly string[];
  /** A τ-bench checkout to draw train tasks over, in the place of a world. */
  readonly rows?: string | undefined;
  /** Splits and files of tasks whose users no task is about. Default: the knob's. */
  readonly holdOut?: readonly string[];
}

/**
 * Generates a world and certifies its tasks.
 * @throws {ConfigError} If a knob is unknown or has a wrong value, as a recipe with it would be.
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
  const recipe = { name: "mock", text: "" };
  if (rows !== undefined) {
    const given = { trainTasks: count, seed, ...holdOut && { holdOut } };
    const all = Object.entries(given).map(([key, value]) => ({
      path: ["data", section, key],
      value,
      origin: `--${FLAGS[key]}`,
    }));
    const { data } = resolveConfig(recipe, [...all, ...knobs]);
    const dataset = await loadTauBench(tauBenchDir(rows), env);
    return await withRowTasks(dataset, data.rows, options);
  }
  const sizes = Object.entries(splitSizes(count)).map(([split, value]) => ({
    path: ["data", section, `${split}Tasks`],
    value,
    origin: "--count",
  }));
  const { data } = resolveConfig(recipe, [...sizes, ...knobs]);
  return await generated(seed, data[section], { ...options, domain: env });
}

/** The flags that knobs of tasks over rows have. */
const FLAGS: Readonly<Record<string, string>> = {
  trainTasks: "count",
  seed: "seed",
  holdOut: "hold-out",
};

/** The knobs of a world for `--help`, as {@linkcode MockOptions.set} takes them. */
export function knobKeys(env: DomainName): ConfigKey[] {
  const options = composerOf(env)?.options ??
    partOf(domainNamed(env), "world").options;
  return configKeys(objectOf(options))
    .filter(({ key }) => !/^(train|dev|test)Tasks$/.test(key)); // --count says so
}

/** The knobs of tasks over rows. */
export function rowKeys(): ConfigKey[] {
  return configKeys(rowOptionsSchema).filter(({ key }) => !(key in FLAGS));
}

/** What is not to be trained on: the tasks that the policy of a run solves too seldom or too often. */
export async function outsideRates(
  world: World,
  { run, range, trials, seed, ...options }: {
    /** The run's directory. */
    readonly run: string;
    /** The least and the most share of trials that are solved. */
    readonly range: readonly [number, number];
    /** Episodes of each task. */
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
 * Drawn tasks that are nearly the same as another one, as one of the benchmark's in the same dataset, or as a test task
 * of the τ-bench checkout where one is given.
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

/** Which clauses of policy the world's tasks put to the test. */
export function worldCoverage(world: World): readonly Coverage[] {
  return coverageOf(domainKey(world), world.certificates.values());
}
