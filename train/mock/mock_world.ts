/** A generated world as a command line asks for it: its knobs, its tasks, and which of them a policy solves how often. */

import { duplicates } from "../../env/audit/duplicates.ts";
import type { Finding } from "../../env/audit/finding.ts";
import { loadTauBench } from "../../env/benchmarks/tau/tau_bench.ts";
import { partOf } from "../../env/domain.ts";
import {
  domainKey,
  type DomainName,
  domainNamed,
} from "../../env/domains/registry.ts";
import { type Coverage, coverageOf } from "../../env/generated/coverage.ts";
import {
  generated,
  type GeneratedDataset,
} from "../../env/generated/generated.ts";
import { splitSizes } from "../../env/generated/world_files.ts";
import { objectOf } from "../../env/schema_keys.ts";
import { scriptedUser } from "../../env/users/scripted.ts";
import {
  type ConfigKey,
  configKeys,
  parseSet,
  resolveConfig,
} from "../config/config.ts";
import { worldSection } from "../config/config_sections.ts";
import type { Exclusion } from "../config/exclusions.ts";
import { openRunPolicy } from "../cpu/run_policy.ts";
import { measureRates, outside } from "../evaluation/curriculum.ts";
import { readRun } from "../runs/training_dir.ts";

/** A generated world, of whichever domain. */
export type World = GeneratedDataset<unknown>;

/** Which world. */
export interface MockOptions {
  readonly env: DomainName;
  /** Tasks of all splits. */
  readonly count: number;
  readonly seed: number;
  /** Its knobs, as a recipe has them below `data`: `refusedShare=0.2`, `intents.cancel=3`. */
  readonly set: readonly string[];
}

/**
 * Generates a world and certifies its tasks.
 * @throws {ConfigError} If a knob is unknown or has a wrong value, as a recipe with it would be.
 */
export async function mockWorld(
  { env, count, seed, set }: MockOptions,
  options: { readonly signal?: AbortSignal; readonly onTask?: () => void } = {},
): Promise<World> {
  const section = worldSection(env);
  const knobs = set.map(parseSet).map(({ path, ...rest }) => ({
    ...rest,
    path: ["data", section, ...path],
  }));
  const sizes = Object.entries(splitSizes(count)).map(([split, value]) => ({
    path: ["data", section, `${split}Tasks`],
    value,
    origin: "--count",
  }));
  const recipe = { name: "mock", text: "" };
  const { data } = resolveConfig(recipe, [...sizes, ...knobs]);
  return await generated(seed, data[section], { ...options, domain: env });
}

/** The knobs of a world for `--help`, as {@linkcode MockOptions.set} takes them. */
export function knobKeys(env: DomainName): ConfigKey[] {
  const { options } = partOf(domainNamed(env), "world");
  return configKeys(objectOf(options))
    .filter(({ key }) => !/^(train|dev|test)Tasks$/.test(key)); // --count says so
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

/** Tasks that are nearly the same as another of the world, or as a test task of τ-bench where that is at hand. */
export async function nearDuplicates(
  world: World,
  tauBench: string | undefined,
): Promise<Finding[]> {
  const theirs = tauBench
    ? (await loadTauBench(tauBench, domainKey(world))).tasks("test")
    : [];
  const marked = theirs.map((task) => ({ ...task, id: `τ-bench ${task.id}` }));
  const own = world.splits.flatMap((split) => world.tasks(split));
  return duplicates({ dataset: world, tasks: [...marked, ...own] })
    .filter(({ taskId }) => !taskId.startsWith("τ-bench"));
}

/** Which clauses of policy the world's tasks put to the test. */
export function worldCoverage(world: World): readonly Coverage[] {
  return coverageOf(domainKey(world), world.certificates.values());
}
