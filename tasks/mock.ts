/** `deno task mock`: tasks of a generated world with their proofs, or τ-bench's, as rows that slime trains on. */

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
  domainNames,
  domainNameSchema,
} from "../env/domains/registry.ts";
import { ConfigError } from "../env/errors.ts";
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
  refuseOthers,
  refuseTaken,
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
  runPath,
  runsFlag,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";
import { keysHelp } from "./_train_flags.ts";

/** Splits are no files. */
function taskFile(value: string): boolean {
  return !["train", "dev", "test"].includes(value);
}

const flags = z.object({
  source: z.enum(["generated", "tau-bench", "tau3-bench"]).default("generated")
    .meta({
      description:
        "Where the tasks come from: a world that is generated, or τ-bench's or τ³-bench's own",
    }),
  env: domainNameSchema.default("retail").meta({
    description: "The generated world",
  }),
  count: z.int().min(3).default(1000).meta({
    description:
      "Tasks to generate; a tenth each for dev and test, the others for training",
  }),
  seed: z.int().default(1).meta({ description: "Seed of the world" }),
  set: z.array(z.string()).default([]).meta({
    description:
      "Set a knob of the generated world, as in a recipe below data.generated, data.airline or data.world; may be repeated",
    value: "KEY=VALUE",
  }),
  between: z.string().optional().meta({
    description:
      "Keep train tasks that --policy solves in this share of its trials",
    value: "LEAST,MOST",
  }),
  policy: z.string().min(1).optional().meta({
    description: "The training run whose policy --between is about",
    value: "RUN",
    isPath: runPathOnly,
  }),
  trials: z.int().min(1).max(1000).default(4).meta({
    description: "Episodes of each task for --between",
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
      "Draw train tasks over the rows of this τ-bench checkout, whose dev and test tasks stay",
    value: "DIR",
    isPath: anyPath,
  }),
  holdOut: z.array(z.string().min(1)).default([]).meta({
    description:
      "A split, or a file of tasks, whose users no task over --rows is about; may be repeated; default: dev and test",
    value: "SPLIT|FILE",
    isPath: taskFile,
  }),
  rowsFormat: z.enum(["slime", "split"]).default("slime").meta({
    description:
      "With --source tau-bench: slime: as its example writes them; split: with env and split in each row's metadata, as rows of τ³-bench always are",
  }),
  force: z.boolean().default(false).meta({
    description: "Replace files that are there and differ",
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Print what would be written, and write nothing",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(flags: Flags, context: TaskContext): Promise<TaskResult> {
  checkRows(flags);
  const composer = flags.source === "generated"
    ? composerOf(flags.env)
    : undefined;
  if (composer !== undefined) return await composed(composer, flags, context);
  return flags.source === "generated"
    ? await mockGenerated(flags, context)
    : await mockBenchmark(flags, context);
}

/** @throws {ConfigError} If `--rows` has the meaning that `--rows-format` has now, or there is nothing to draw. */
function checkRows({ rows, source, holdOut }: Flags): void {
  if (rows === "slime" || rows === "split") {
    throw new ConfigError(`--rows ${rows} names no directory`, {
      hint: `the format of rows is --rows-format ${rows}`,
    });
  }
  if (rows !== undefined && source !== "generated") {
    throw new ConfigError(
      `--rows draws tasks, and --source ${source} writes those of the benchmark`,
      { hint: "leave one of them out" },
    );
  }
  if (rows === undefined && holdOut.length > 0) {
    throw new ConfigError("--hold-out is about tasks over rows", {
      hint: "name the τ-bench checkout by --rows DIR",
    });
  }
}

/** Tasks of a benchmark's kind, in its layout. */
async function composed(
  composer: ComposerPart,
  { between, rows, out, dryRun, force, env, ...options }: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  if (between !== undefined || rows !== undefined) {
    throw new ConfigError(
      `--between and --rows are not about tasks that ${env} composes`,
      { hint: "leave them out" },
    );
  }
  const { counts, files } = mockComposed(composer, options);
  let excluded: readonly Exclusion[] = [];
  if (!dryRun) {
    if (!force) await refuseTaken(out);
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

/** Whether a task's id is of a split: `telecom/test/…`. */
function inSplit(task: string, split: string): boolean {
  return task.split("/")[1] === split;
}

/** A generated world, or tasks over a benchmark's rows, with a certificate for each drawn task. */
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
  const world = await mockWorld(options, { signal, onTask });
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
  if (excluded.length > 0 && excluded.length === world.tasks("train").length) {
    throw new ConfigError(
      `--between ${flags.between} keeps no task: the policy of "${policy}" solves each train task outside of that range of ${trials} trials`,
      { hint: "widen the range, raise --trials, or name another --policy" },
    );
  }
  const alike = await nearDuplicates(world, flags.tauBench);
  terminal.endProgress();
  const files = mockFiles(world, {
    out,
    excluded,
    excludedWhy:
      `Tasks that the policy of "${policy}" solves outside of ${flags.between} of ${trials} trials`,
    rowsOf: (split, tasks) => ({
      path: slimeFileName(domainKey(world), split),
      text: slimeRows(tasks, "split"),
    }),
  });
  if (!dryRun) {
    if (!force) await refuseTaken(out);
    await writeFiles(out, files);
  }
  const coverage = worldCoverage(world);
  const written = { files, out: dryRun ? null : out };
  const mocked = {
    ...{ world, seconds, coverage, excluded, alike, ...written },
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

/** How many tasks a dry run draws, so that it ends soon: what it shows is much the same of more. */
function sampleSize({ count, between, trials }: Flags): number {
  const most = between === undefined ? SAMPLE_TASKS : SAMPLE_TASKS / trials;
  return Math.max(3, Math.min(count, Math.floor(most)));
}

/** @throws {ConfigError} If it is no range, or no policy is named. */
function rangeOf(
  { between, policy }: Flags,
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

/** A benchmark's own tasks. */
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
    if (!force) await refuseOthers(out, files);
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

/** The files of slime's example: a split of a domain each. */
async function exampleFiles(dir: string, rows: Flags["rowsFormat"]) {
  const domains = await domainsIn(dir);
  if (domains.length === 0) {
    throw new ConfigError(`Cannot find tasks in "${dir}"`, {
      hint: "name the directory that deno task import has written",
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

/** A file a domain and split of τ³-bench; the base split is the others together. */
async function tau3Files(dir: string) {
  const domains = await tau3DomainsIn(dir);
  if (domains.length === 0) {
    throw new ConfigError(`Cannot find tasks of τ³-bench in "${dir}"`, {
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

/** The knobs of the world that the command line names, or those of tasks over rows. */
function knobsHelp(argv: readonly string[]): string {
  if (argv.some((word) => /^--rows(=|$)/.test(word))) {
    const heading = "Knobs of tasks over rows for --set, with their defaults:";
    return keysHelp(rowKeys(), heading);
  }
  const names = domainNames(({ world, bundle }) =>
    world !== undefined || bundle?.composer !== undefined
  );
  const env = argv.map((word) => word.replace(/^--env=/, ""))
    .find((word) => names.includes(word)) ?? "retail";
  const heading = `Knobs of the ${env} world for --set, with their defaults:`;
  return keysHelp(knobKeys(env), heading);
}

export const task = await main(import.meta, {
  name: "mock",
  summary:
    "Make tasks with a certificate each, or write τ-bench's as rows that slime trains on",
  flags,
  examples: [
    {
      command: "deno task mock --env retail --count 10000 --seed 7 --out world",
      does:
        "ten thousand certified tasks with their tables, rows and a recipe that trains on them",
    },
    {
      command:
        "deno task mock --out hard --set twoIntentShare=0.5 --set refusedShare=0.2 --between 0.2,0.8 --policy a1",
      does: "only tasks that the policy of run a1 solves now and then",
    },
    {
      command: "deno task mock --rows ../tau-bench --count 10000 --out rows",
      does:
        "ten thousand certified train tasks over τ-bench's own store, beside its dev and test tasks",
    },
    {
      command:
        "deno task mock --env tau3.telecom --count 500 --set maxFaults=6 --out phones",
      does:
        "telecom tasks of several faults at once, as a bundle that --tau3-bench takes",
    },
    {
      command:
        "deno task mock --source tau-bench --out rows --tau-bench ../tau-bench",
      does: "the four files of slime's example, byte for byte",
    },
    {
      command:
        "deno task mock --source tau-bench --out rows --rows-format split",
      does:
        "rows that name their env and split, so that dev rows never run train tasks",
    },
    {
      command:
        "deno task mock --source tau3-bench --tau3-bench ../tau3-bench --out rows",
      does: "τ³-bench's train and test tasks as rows",
    },
  ],
  notes: knobsHelp(Deno.args),
  interruptNote:
    "Ending before anything is written; Ctrl-C again stops at once",
  confine: ({ flags: { dryRun, out } }) => ({
    write: dryRun ? [] : [out],
    net: false,
    run: false,
    endsAtOnce: dryRun,
  }),
  run,
});
