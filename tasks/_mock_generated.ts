/** `deno task mock --env NAME --count N`: a generated world with a certificate for each task. */

import { join } from "node:path";
import { stringify } from "yaml";
import project from "../deno.json" with { type: "json" };
import { duplicates } from "../env/audit/duplicates.ts";
import type { Finding } from "../env/audit/finding.ts";
import { type Coverage, coverageOf } from "../env/generated/coverage.ts";
import {
  generated,
  type GeneratedDataset,
} from "../env/generated/generated.ts";
import { partOf } from "../env/domain.ts";
import {
  domainKey,
  type DomainName,
  domainNamed,
} from "../env/domains/registry.ts";
import { objectOf } from "../env/schema_keys.ts";
import { worldSection } from "../train/config/config_sections.ts";
import { splitSizes, worldFiles } from "../env/generated/world_files.ts";
import { slimeFileName, slimeRows } from "../train/slime/plan/example_rows.ts";
import { loadTauBench } from "../env/benchmarks/tau/tau_bench.ts";
import { ConfigError } from "../env/errors.ts";
import { sha256 } from "../env/state_hash.ts";
import type { Task } from "../env/types.ts";
import { scriptedUser } from "../env/users/scripted.ts";
import {
  type ConfigKey,
  configKeys,
  parseSet,
  resolveConfig,
} from "../train/config/config.ts";
import {
  measureRates,
  outside,
  type TaskRate,
} from "../train/evaluation/curriculum.ts";
import {
  type Exclusion,
  formatExclusions,
} from "../train/config/exclusions.ts";
import { openRunPolicy } from "../train/cpu/run_policy.ts";
import { readRun } from "../train/runs/training_dir.ts";
import { writeFileAtomic } from "../train/runs/storage.ts";
import type { TaskContext, TaskResult } from "./_cli.ts";
import { runPath } from "./_shared_flags.ts";
import { bytes, count, duration, percent } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** What is asked for. */
export interface MockFlags {
  readonly env: DomainName;
  readonly count: number;
  readonly seed: number;
  readonly set: readonly string[];
  readonly out: string;
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly tauBench?: string | undefined;
  readonly between?: string | undefined;
  readonly policy?: string | undefined;
  readonly trials: number;
  readonly runs: string;
}

type World = GeneratedDataset<unknown>;

/** Generates, certifies, writes. */
export async function mockGenerated(
  flags: MockFlags,
  context: TaskContext,
): Promise<TaskResult> {
  const { terminal } = context;
  const range = rangeOf(flags);
  const from = performance.now();
  const world = await generate(flags, context);
  const seconds = (performance.now() - from) / 1000;
  const excluded = range === null
    ? []
    : outside(await rates(world, flags, context), range);
  const alike = await nearDuplicates(world, flags);
  terminal.endProgress();
  const coverage = coverageOf(domainKey(world), world.certificates.values());
  const files = filesOf(world, { flags, excluded, coverage });
  if (!flags.dryRun) await write(files, flags);
  const drawn = world.certificates.size + refusedOf(world);
  terminal.print(
    [
      splitsTable(world, excluded),
      coverageTable(coverage),
      refusedTable(world, drawn),
      duplicatesText(alike),
      `${count(world.certificates.size)} tasks certified in ${
        duration(seconds)
      }; ${count(files.length)} files, ${
        bytes(files.reduce((sum, { text }) => sum + text.length, 0))
      }${flags.dryRun ? ", not written" : ` in ${flags.out}`}`,
    ].filter((part) => part !== "").join("\n\n"),
  );
  return {
    json: {
      out: flags.out,
      written: !flags.dryRun,
      fingerprint: world.fingerprint,
      seconds,
      certified: world.certificates.size,
      drawn,
      refused: Object.fromEntries(world.dropped),
      coverage,
      near_duplicates: alike.length,
      excluded,
    },
  };
}

/** @throws {ConfigError} If it is no range, or no policy is named. */
function rangeOf(
  { between, policy }: MockFlags,
): readonly [number, number] | null {
  if (between === undefined) return null;
  const [least = NaN, most = NaN] = between.split(",").map(Number);
  if (!(least >= 0 && most <= 1 && least <= most)) {
    throw new ConfigError(
      `--between ${between} is no range of pass rates`,
      { hint: "write it as 0.2,0.8" },
    );
  }
  if (policy !== undefined) return [least, most];
  throw new ConfigError(
    "--between is about a policy's pass rate",
    { hint: "name its run by --policy RUN" },
  );
}

async function generate(
  { env, count: wanted, seed, set }: MockFlags,
  { terminal, signal }: TaskContext,
): Promise<World> {
  const line = terminal.counting(wanted, "tasks certified");
  const sizes = splitSizes(wanted);
  const counts = {
    trainTasks: sizes.train,
    devTasks: sizes.dev,
    testTasks: sizes.test,
  };
  const options = optionsOf(set, { env, counts });
  return await generated(seed, options, {
    domain: env,
    signal,
    onTask: () => line.step(),
  });
}

/** `refusedShare=0.2`, `intents.cancel=3`: as a recipe has them below `data`, so that errors are a recipe's too. */
function optionsOf(
  set: readonly string[],
  { env, counts }: {
    env: DomainName;
    counts: Readonly<Record<string, number>>;
  },
) {
  const section = worldSection(env);
  const overrides = set.map(parseSet).map(({ path, ...rest }) => ({
    path: ["data", section, ...path],
    ...rest,
  }));
  const sizes = Object.entries(counts).map(([key, value]) => ({
    path: ["data", section, key],
    value,
    origin: "--count",
  }));
  const { data } = resolveConfig({ name: "mock", text: "" }, [
    ...sizes,
    ...overrides,
  ]);
  return data[section];
}

/** The knobs of a world for `--help`, as {@linkcode optionsOf} takes them. */
export function knobKeys(env: DomainName): ConfigKey[] {
  const { options } = partOf(domainNamed(env), "world");
  return configKeys(objectOf(options))
    .filter(({ key }) => !/^(train|dev|test)Tasks$/.test(key)); // --count says so
}

async function rates(
  world: World,
  { policy = "", trials, seed, runs }: MockFlags,
  { terminal, signal }: TaskContext,
): Promise<TaskRate[]> {
  const path = runPath(policy, runs);
  await using opened = await openRunPolicy(await readRun(path));
  const tasks = world.tasks("train");
  const line = terminal.counting(tasks.length * trials, "episodes");
  const { rollout } = opened.run.config;
  return await measureRates({
    dataset: world,
    tasks,
    agent: await opened.agent({ temperature: 1, dataset: world }),
    user: scriptedUser(world),
    trials,
    seed,
    signal,
    concurrency: rollout.concurrency,
    maxTurns: rollout.maxTurns,
    onEpisode: () => line.step(),
  });
}

/** Within the set, and against τ-bench's test tasks where they are at hand. */
async function nearDuplicates(
  world: World,
  { tauBench, env }: MockFlags,
): Promise<Finding[]> {
  const own = world.splits.flatMap((split) => world.tasks(split));
  const theirs: readonly Task[] = tauBench
    ? (await loadTauBench(tauBench, env)).tasks("test").map((task) => ({
      ...task,
      id: `τ-bench ${task.id}`,
    }))
    : [];
  return duplicates({ dataset: world, tasks: [...theirs, ...own] })
    .filter(({ taskId }) => !taskId.startsWith("τ-bench"));
}

interface MockFile {
  readonly path: string;
  readonly text: string;
}

function filesOf(
  world: World,
  { flags, excluded, coverage }: {
    flags: MockFlags;
    excluded: readonly Exclusion[];
    coverage: readonly Coverage[];
  },
): MockFile[] {
  const out = new Set(excluded.map(({ task }) => task));
  const files: MockFile[] = [
    ...worldFiles(world),
    ...world.splits.map((split) => ({
      path: slimeFileName(domainKey(world), split),
      text: slimeRows(
        world.tasks(split).filter(({ id }) => !out.has(id)),
        "split",
      ),
    })),
    { path: "recipe.yaml", text: recipeText(world, { flags, excluded }) },
  ];
  if (excluded.length > 0) {
    const head =
      `Tasks that the policy of "${flags.policy}" solves outside of ${flags.between} of ${flags.trials} trials`;
    files.push({
      path: "exclude.yaml",
      text: formatExclusions(excluded, head),
    });
  }
  const manifest = {
    taulab: project.version,
    world: { domain: world.domain, seed: world.seed, options: world.options },
    fingerprint: world.fingerprint,
    tasks: Object.fromEntries(
      world.splits.map((split) => [split, world.tasks(split).length]),
    ),
    refused: Object.fromEntries(world.dropped),
    coverage,
    files: Object.fromEntries(
      files.map(({ path, text }) => [path, sha256([text])]),
    ),
  };
  return [
    ...files,
    { path: "manifest.json", text: `${JSON.stringify(manifest, null, 2)}\n` },
  ];
}

/** What trains on this very world, goals and all. */
function recipeText(
  world: World,
  { flags, excluded }: { flags: MockFlags; excluded: readonly Exclusion[] },
): string {
  const recipe = {
    data: {
      source: "generated",
      domain: domainKey(world),
      worldSeed: world.seed,
      [worldSection(domainKey(world))]: world.options,
      ...(excluded.length === 0
        ? {}
        : { exclude: join(flags.out, "exclude.yaml") }),
    },
  };
  return `# deno task train --recipe ${
    join(flags.out, "recipe.yaml")
  } trains on this world.\n${stringify(recipe)}`;
}

/** The manifest last: it says that the others are there. */
async function write(
  files: readonly MockFile[],
  { out, force }: MockFlags,
): Promise<void> {
  await Deno.mkdir(out, { recursive: true });
  const [taken] = await Array.fromAsync(Deno.readDir(out));
  if (taken !== undefined && !force) {
    throw new ConfigError(
      `"${out}" is not empty`,
      { hint: "choose another --out, or write over it by --force" },
    );
  }
  for (const { path, text } of files) {
    await Deno.mkdir(join(out, path, ".."), { recursive: true });
    await writeFileAtomic(join(out, path), text);
  }
}

function splitsTable(
  world: World,
  excluded: readonly Exclusion[],
): string {
  const out = new Set(excluded.map(({ task }) => task));
  const intents = new Map<string, number[]>();
  for (const [at, split] of world.splits.entries()) {
    for (const { id, intent = "" } of world.tasks(split)) {
      if (out.has(id)) continue;
      const kind = intent.includes("+") ? "two requests" : intent;
      const counts = intents.get(kind) ?? world.splits.map(() => 0);
      counts[at] = (counts[at] ?? 0) + 1;
      intents.set(kind, counts);
    }
  }
  return table([
    ["tasks", ...world.splits],
    ...[...intents].sort(([a], [b]) => a < b ? -1 : 1).map((
      [intent, counts],
    ) => [intent, ...counts.map(count)]),
  ]);
}

function coverageTable(coverage: readonly Coverage[]): string {
  const untested = new Map(
    coverage.flatMap(({ clause, untested }) =>
      untested === undefined ? [] : [[clause, untested]]
    ),
  );
  return [
    table([
      ["clause", "tool", "allowed", "refused"],
      ...coverage.map(({ clause, tool, allowed, refused }) => [
        clause,
        tool,
        count(allowed),
        count(refused),
      ]),
    ]),
    ...[...untested].map(([clause, why]) =>
      `no request is refused by ${clause}: ${why}`
    ),
  ].join("\n");
}

function refusedOf({ dropped }: World): number {
  return dropped.values().reduce((sum, n) => sum + n, 0);
}

function refusedTable(world: World, drawn: number): string {
  if (world.dropped.size === 0) return "";
  return table([
    ["draws refused by their certificate", "draws", "share"],
    ...[...world.dropped].sort(([, a], [, b]) => b - a).map(([why, n]) => [
      why,
      count(n),
      percent(n / drawn),
    ]),
  ]);
}

function duplicatesText(alike: readonly Finding[]): string {
  if (alike.length === 0) return "No two tasks are nearly the same.";
  const shown = alike.slice(0, 5).map(({ taskId, reason }) =>
    `  ${taskId}: ${reason}`
  );
  return `${count(alike.length)} tasks are nearly those of others:\n${
    shown.join("\n")
  }`;
}
