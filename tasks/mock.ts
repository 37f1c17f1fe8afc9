/**
 * `deno task mock`: generates tasks, each with a certificate that it can be solved, or writes a benchmark's tasks as
 * rows for slime.
 */

import { join } from "node:path";
import { z } from "zod";
import {
  domainsIn,
  loadTauBenchTasks,
  tauBenchDir,
} from "../env/benchmarks/tau/tau_bench.ts";
import { TAU3_BENCH_HINT } from "../env/benchmarks/tau3/bundle_files.ts";
import {
  tau3BenchDir,
  tau3DomainsIn,
} from "../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../env/benchmarks/tau3/tau3_bench.ts";
import type { ComposerPart } from "../env/domain.ts";
import {
  domainKey,
  domainNamed,
  domainNames,
  domainNameSchema,
} from "../env/domains/registry.ts";
import { ConfigError, DataError } from "../env/errors.ts";
import { sha256 } from "../env/state_hash.ts";
import type { Exclusion } from "../train/config/exclusions.ts";
import {
  certifyWorld,
  composerOf,
  EXCLUDED,
  mockComposed,
} from "../train/mock/mock_composed.ts";
import {
  mockFiles,
  requireEmpty,
  requireUnchanged,
  writeFiles,
} from "../train/mock/mock_files.ts";
import {
  knobKeys,
  mockWorld,
  nearDuplicates,
  outsideRates,
  rowKeys,
  worldCoverage,
} from "../train/mock/mock_world.ts";
import { SAMPLE_TASKS } from "../train/config/sampled_data.ts";
import { count } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";
import {
  SLIME_SPLITS,
  slimeFileName,
  slimeRows,
} from "../train/slime/plan/tau_example_rows.ts";
import { anyPath, runPathOnly } from "./_caller_paths.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { worldJson, worldText } from "./_mock_view.ts";
import {
  refuseUnusedBenchmark,
  runPath,
  runsFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";
import { keysHelp } from "./_train_flags.ts";

/** Returns whether a value of `--hold-out` is a file rather than the name of a split. */
function taskFile(value: string): boolean {
  return !["train", "dev", "test"].includes(value);
}

const flags = z.object({
  source: z.enum(["generated", "tau-bench", "tau3-bench"]).default("generated")
    .meta({
      description:
        "Source of the tasks: a generated world, or a benchmark's own tasks",
    }),
  env: domainNameSchema.default("retail").meta({
    description:
      "Domain to generate; tau3.retail and tau3.airline have no generator",
  }),
  count: z.int().min(3).default(1000).meta({
    description:
      "Number of tasks to generate: a tenth each for dev and test, the rest for train",
  }),
  seed: z.int().default(1).meta({ description: "Seed of the world" }),
  set: z.array(z.string()).default([]).meta({
    description:
      "Set an option of the generated world (see the list below), as in a recipe's data.generated, data.airline or data.world; may be repeated",
    value: "KEY=VALUE",
  }),
  between: z.string().optional().meta({
    description:
      "Keep only train tasks whose pass rate under --policy is in this range, such as 0.2,0.8",
    value: "MIN,MAX",
  }),
  policy: z.string().min(1).optional().meta({
    description: "Training run whose policy is measured for --between",
    value: "RUN",
    isPath: runPathOnly,
  }),
  trials: z.int().min(1).max(1000).default(4).meta({
    description: "Episodes per task for --between",
  }),
  runs: runsFlag,
  out: z.string().min(1).meta({
    description: "Directory to write to",
    value: "DIR",
    isPath: anyPath,
  }),
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  rows: z.string().min(1).optional().meta({
    description:
      "Generate train tasks on the tables of this τ-bench checkout, and keep its dev and test tasks",
    value: "DIR",
    isPath: anyPath,
  }),
  holdOut: z.array(z.string().min(1)).default([]).meta({
    description:
      "With --rows: exclude the users who occur in this split or file of tasks; may be repeated; default: dev and test",
    value: "SPLIT|FILE",
    isPath: taskFile,
  }),
  rowsFormat: z.enum(["slime", "split"]).default("slime").meta({
    description:
      'With --source tau-bench: "slime" writes the same rows as slime\'s example; "split" adds env and split to each row\'s metadata, as for τ³-bench',
  }),
  force: z.boolean().default(false).meta({
    description: "Replace existing files that differ",
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Print what would be written; nothing is written",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  checkRows(flags);
  const composer = flags.source === "generated"
    ? composerOf(flags.env)
    : undefined;
  const { source, tau3Bench } = flags;
  // A generated world is searched for near duplicates of τ-bench's tasks.
  const isCompared = source === "generated" && composer === undefined;
  refuseUnusedBenchmark(isCompared ? { tau3Bench } : flags, source, {
    selectedBy: "--source",
  });
  if (composer !== undefined) return await composed(composer, flags, context);
  if (isCompared && flags.rows === undefined) requireGenerator(flags.env);
  return flags.source === "generated"
    ? await mockGenerated(flags, context)
    : await mockBenchmark(flags, context);
}

/**
 * Rejects invalid uses of `--rows` and `--hold-out`. `--rows` names a τ-bench checkout, on whose tables tasks are
 * generated.
 * @throws {ConfigError} If the value of `--rows` is a row format, `--rows` is combined with a benchmark as `--source`,
 * or `--hold-out` is passed without `--rows`.
 */
function checkRows({ rows, source, holdOut }: Flags): void {
  if (rows === "slime" || rows === "split") {
    throw new ConfigError(
      `--rows ${rows} names a row format, not a directory`,
      {
        hint: `pass --rows-format ${rows} instead`,
      },
    );
  }
  if (rows !== undefined && source !== "generated") {
    throw new ConfigError(
      `--rows and --source ${source} cannot be used together: one generates tasks, the other writes the benchmark's own tasks`,
      { hint: "pass only one of them" },
    );
  }
  if (rows === undefined && holdOut.length > 0) {
    throw new ConfigError("--hold-out needs --rows", {
      hint: "pass a τ-bench checkout as --rows DIR, or omit --hold-out",
    });
  }
}

/**
 * Rejects the domains of τ³-bench. Those for which tasks can be composed are handled before this check; the others have
 * no generator.
 * @throws {ConfigError} If the domain is one of τ³-bench's.
 */
function requireGenerator(env: Flags["env"]): void {
  if (domainNamed(env).bundle === undefined) return;
  throw new ConfigError(`The domain "${env}" has no generator`, {
    hint: `pass --env with one of ${generatedDomains().join(", ")}`,
  });
}

/** Returns the names of the domains for which tasks can be generated. */
function generatedDomains(): string[] {
  return domainNames(({ world, bundle }) =>
    world !== undefined || bundle?.composer !== undefined
  );
}

/**
 * Composes tasks in a domain of a benchmark. Unless it is a dry run, writes them in the benchmark's layout and
 * certifies each of them.
 */
async function composed(
  composer: ComposerPart,
  { between, rows, out, dryRun, force, env, ...options }: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const idle = between !== undefined
    ? "--between"
    : rows !== undefined
    ? "--rows"
    : undefined;
  if (idle !== undefined) {
    throw new ConfigError(
      `${idle} cannot be used with the domain "${env}"`,
      { hint: `omit ${idle}, or pass another --env` },
    );
  }
  const { counts, files } = mockComposed(composer, options);
  let excluded: readonly Exclusion[] = [];
  if (!dryRun) {
    if (!force) await requireEmpty(out);
    await writeFiles(out, files);
    const certified = terminal.counting(options.count, "tasks certified");
    const onTask = () => certified.step();
    excluded = await certifyWorld(out, { env, signal, onTask });
    terminal.endProgress();
  }
  terminal.print(table([
    ["split", "tasks", "not certified"],
    ...Object.entries(counts).map(([split, tasks]) => [
      split,
      count(tasks),
      dryRun
        ? "not checked"
        : count(excluded.filter(({ task }) => inSplit(task, split)).length),
    ]),
  ]));
  return {
    json: {
      out,
      written: !dryRun,
      tasks: counts,
      excluded,
      files: files.map(({ path, text }) => ({ path, sha256: sha256([text]) })),
    },
    next: dryRun
      ? undefined
      : `deno task evaluate --tau3-bench ${out} --env ${env} --split test --agent expert --user scripted${
        excluded.length === 0 ? "" : ` --exclude ${join(out, EXCLUDED)}`
      }`,
  };
}

/** Returns whether a task belongs to a split, according to its id, such as `telecom/test/…`. */
function inSplit(task: string, split: string): boolean {
  return task.split("/")[1] === split;
}

/**
 * Generates a world, or tasks on a benchmark's tables, and a certificate for each task. Writes them to files unless it
 * is a dry run.
 */
async function mockGenerated(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const { out, dryRun, force, policy, trials, seed } = flags;
  const range = rangeOf(flags);
  const from = performance.now();
  const drawn = dryRun ? sampleSize(flags) : flags.count;
  const certified = terminal.counting(drawn, "tasks certified");
  const onTask = () => certified.step();
  const { holdOut, ...rest } = { ...flags, count: drawn };
  const options = holdOut.length === 0 ? rest : { ...rest, holdOut };
  const world = await mockWorld(options, { signal, onTask }).catch((error) => {
    throw flags.rows === undefined ? error : withRowsHint(error);
  });
  const seconds = (performance.now() - from) / 1000;
  const played = terminal.counting(
    world.tasks("train").length * trials,
    "episodes",
  );
  const excluded = range === null ? [] : await outsideRates(world, {
    run: runPath(policy ?? "", flags.runs),
    range,
    trials,
    seed,
    signal,
    onEpisode: () => played.step(),
  });
  const tries = trials === 1 ? "1 trial" : `${trials} trials`;
  if (excluded.length > 0 && excluded.length === world.tasks("train").length) {
    throw new ConfigError(
      `--between ${flags.between} keeps no task: the pass rate of "${policy}" over ${tries} is outside the range for every train task`,
      { hint: "widen the range, or pass another --policy" },
    );
  }
  const duplicates = await nearDuplicates(world, flags.tauBench);
  terminal.endProgress();
  const files = mockFiles(world, {
    out,
    excluded,
    excludedWhy:
      `Tasks whose pass rate under the policy of "${policy}" over ${tries} is outside ${flags.between}`,
    rowsOf: (split, tasks) => ({
      path: slimeFileName(domainKey(world), split),
      text: slimeRows(tasks, "split"),
    }),
  });
  if (!dryRun) {
    if (!force) await requireEmpty(out);
    await writeFiles(out, files);
  }
  const coverage = worldCoverage(world);
  const written = { files, out: dryRun ? null : out };
  const mocked = {
    ...{ world, seconds, coverage, excluded, duplicates, ...written },
    asked: flags.count,
    drawn,
  };
  terminal.print(worldText(mocked));
  return {
    json: { out, written: !dryRun, ...worldJson(mocked) },
    next: dryRun
      ? undefined
      : `deno task train --recipe ${join(out, "recipe.yaml")}`,
  };
}

/**
 * Returns an error about τ-bench's data with a hint that names `--rows` instead of `--tau-bench`. Returns other errors
 * unchanged.
 */
function withRowsHint(error: unknown): unknown {
  const isOfData = error instanceof DataError &&
    error.hint?.includes("--tau-bench");
  return isOfData
    ? new DataError(error.message, {
      hint:
        "pass a τ-bench checkout, or a directory written by deno task import, as --rows DIR",
      cause: error,
    })
    : error;
}

/**
 * Returns the number of tasks that a dry run draws. They are a sample from which the figures for all tasks are
 * estimated.
 */
function sampleSize({ count, between, trials }: Flags): number {
  const most = between === undefined ? SAMPLE_TASKS : SAMPLE_TASKS / trials;
  return Math.max(3, Math.min(count, Math.floor(most)));
}

/**
 * Parses `--between`; returns `null` if it was not passed.
 * @throws {ConfigError} If the value is not a range between 0 and 1, or `--policy` is missing.
 */
function rangeOf(
  { between, policy }: Flags,
): readonly [number, number] | null {
  if (between === undefined) return null;
  const [least = NaN, most = NaN] = between.split(",").map(Number);
  if (!(least >= 0 && most <= 1 && least <= most)) {
    throw new ConfigError(
      `--between "${between}" is not a range of pass rates`,
      {
        hint:
          "pass two numbers from 0 to 1, the smaller one first, such as 0.2,0.8",
      },
    );
  }
  if (policy !== undefined) return [least, most];
  throw new ConfigError(
    "--between needs --policy",
    { hint: "pass --policy RUN" },
  );
}

/** Writes a benchmark's tasks as rows for slime, and prints a table of the files. A dry run only prints the table. */
async function mockBenchmark(
  { out, dryRun, force, source, rowsFormat, tauBench, tau3Bench }: Flags,
  { terminal }: TaskContext,
): Promise<TaskResult> {
  const isTau3 = source === "tau3-bench";
  const rows = isTau3 ? "split" : rowsFormat;
  const files = isTau3
    ? await tau3Files(tau3BenchDir(tau3Bench))
    : await exampleFiles(tauBenchDir(tauBench), rows);
  if (!dryRun) {
    if (!force) await requireUnchanged(out, files);
    await writeFiles(out, files);
  }
  const shown = files.map(({ path, tasks, text }) => ({
    name: path,
    rows: tasks,
    sha256: sha256([text]),
    bytes: new TextEncoder().encode(text).length,
  }));
  terminal.print(table([
    ["file", "rows", "bytes", "sha-256"],
    ...shown.map(({ name, rows, sha256, bytes }) => [
      join(out, name),
      count(rows),
      count(bytes),
      sha256.slice(0, 16),
    ]),
  ]));
  const listed = shown.map(({ bytes: _, ...file }) => file);
  return { json: { out, rows, written: !dryRun, files: listed } };
}

/**
 * Returns the row files of τ-bench in the format of slime's example, one per domain and split.
 * @throws {ConfigError} If the directory has no tasks.
 */
async function exampleFiles(dir: string, rows: Flags["rowsFormat"]) {
  const domains = await domainsIn(dir);
  if (domains.length === 0) {
    throw new ConfigError(`Cannot find tasks in "${dir}"`, {
      hint:
        "pass --tau-bench with a checkout, or with a directory written by deno task import",
    });
  }
  const files = await Promise.all(domains.map(async (domain) => {
    const bySplit = await loadTauBenchTasks(dir, domain);
    return SLIME_SPLITS.flatMap((split) => {
      const tasks = bySplit.get(split);
      if (tasks === undefined) return [];
      const path = slimeFileName(domain, split);
      return [{ path, tasks: tasks.length, text: slimeRows(tasks, rows) }];
    });
  }));
  return files.flat();
}

/**
 * Returns the row files of τ³-bench, one per domain and split. They exclude the split `base`, which is the union of the
 * other splits.
 * @throws {ConfigError} If the directory has no tasks.
 */
async function tau3Files(dir: string) {
  const domains = await tau3DomainsIn(dir);
  if (domains.length === 0) {
    throw new ConfigError(`Cannot find τ³-bench tasks in "${dir}"`, {
      hint: TAU3_BENCH_HINT,
    });
  }
  const files = await Promise.all(domains.map(async (domain) => {
    const dataset = await tau3Bench(dir, { domain });
    return SLIME_SPLITS.filter((split) => dataset.splits.includes(split))
      .map((split) => {
        const tasks = dataset.tasks(split);
        const path = slimeFileName(domainKey(dataset), split);
        return { path, tasks: tasks.length, text: slimeRows(tasks, "split") };
      });
  }));
  return files.flat();
}

/**
 * Returns the help text for the options that `--set` accepts on the given command line. With `--rows`, these are the
 * options for tasks on a benchmark's tables; otherwise, those of the world that `--env` names, by default `retail`.
 */
function knobsHelp(argv: readonly string[]): string {
  if (argv.some((word) => /^--rows(=|$)/.test(word))) {
    const heading = "Options of --rows for --set, with their defaults:";
    return keysHelp(rowKeys(), heading);
  }
  const given = argv.flatMap((word, i) =>
    word === "--env"
      ? argv.slice(i + 1, i + 2)
      : word.startsWith("--env=")
      ? [word.slice("--env=".length)]
      : []
  );
  const { data } = domainNameSchema.safeParse(given.at(-1));
  const env = generatedDomains().find((name) => name === data) ?? "retail";
  const heading = `Options of the ${env} world for --set, with their defaults:`;
  return keysHelp(knobKeys(env), heading);
}

export const task = await main(import.meta, {
  name: "mock",
  summary:
    "Generate tasks, each with a certificate that it can be solved, or write a benchmark's tasks as rows for slime",
  flags,
  examples: [
    {
      command: "deno task mock --env retail --count 10000 --seed 7 --out world",
      does:
        "generate ten thousand certified tasks with tables, rows and a recipe to train on them",
    },
    {
      command:
        "deno task mock --out hard --set twoIntentShare=0.5 --set refusedShare=0.2 --between 0.2,0.8 --policy a1",
      does:
        "keep only train tasks that the policy of the run a1 sometimes solves",
    },
    {
      command: "deno task mock --rows ../tau-bench --count 10000 --out rows",
      does:
        "generate ten thousand certified train tasks on τ-bench's tables, alongside its dev and test tasks",
    },
    {
      command:
        "deno task mock --env tau3.telecom --count 500 --set maxFaults=6 --out phones",
      does:
        "compose telecom tasks with several faults each, as a bundle for --tau3-bench",
    },
    {
      command:
        "deno task mock --source tau-bench --out rows --tau-bench ../tau-bench",
      does: "write the same four files as slime's example, byte for byte",
    },
    {
      command:
        "deno task mock --source tau-bench --out rows --rows-format split",
      does:
        "write rows with their env and split, so that a dev row cannot be mistaken for a train task",
    },
    {
      command:
        "deno task mock --source tau3-bench --tau3-bench ../tau3-bench --out rows",
      does: "write τ³-bench's train and test tasks as rows",
    },
  ],
  notes: knobsHelp(Deno.args),
  interruptNote: "Stopping; press Ctrl-C again to stop immediately",
  confine: ({ flags: { dryRun, out } }) => ({
    write: dryRun ? [] : [out],
    net: false,
    run: false,
    endsAtOnce: dryRun,
  }),
  run,
});
