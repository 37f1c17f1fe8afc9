/** `deno task mock`: tasks of a generated world with their proofs, or τ-bench's, as rows that slime trains on. */

import { join } from "node:path";
import { z } from "zod";
import {
  SLIME_SPLITS,
  slimeFileName,
  slimeRows,
} from "../train/slime/plan/example_rows.ts";
import {
  domainsIn,
  loadTauBenchTasks,
  tauBenchDir,
} from "../env/benchmarks/tau/tau_bench.ts";
import { domainNames, domainNameSchema } from "../env/domains/registry.ts";
import { ConfigError } from "../env/errors.ts";
import { sha256 } from "../env/state_hash.ts";
import { readTextIfThere, writeFileAtomic } from "../train/runs/storage.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { knobKeys, mockGenerated } from "./_mock_generated.ts";
import { keysHelp } from "./_train_flags.ts";
import { runsFlag } from "./_shared_flags.ts";
import { count } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

const flags = z.object({
  source: z.enum(["generated", "tau-bench"]).default("generated").meta({
    description:
      "Where the tasks come from: a world that is generated, or τ-bench's own",
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
  }),
  trials: z.int().min(1).default(4).meta({
    description: "Episodes of each task for --between",
  }),
  runs: runsFlag,
  out: z.string().min(1).meta({
    description: "Directory to write to",
    value: "DIR",
  }),
  tauBench: z.string().optional().meta({
    description: "Directory of tau-bench's data",
    value: "DIR",
    env: "TAU_BENCH_DIR",
  }),
  rows: z.enum(["slime", "split"]).default("slime").meta({
    description:
      "slime: as its example writes them; split: with env and split in each row's metadata",
  }),
  force: z.boolean().default(false).meta({
    description: "Replace files that are there and differ",
  }),
  dryRun: z.boolean().default(false).meta({
    description: "Print what would be written, and write nothing",
  }),
});

type Flags = z.infer<typeof flags>;

interface MockFile {
  readonly name: string;
  readonly rows: number;
  readonly text: string;
  readonly sha256: string;
}

async function run(
  flags: Flags,
  context: TaskContext,
): Promise<TaskResult> {
  if (flags.source === "generated") return await mockGenerated(flags, context);
  const { terminal } = context;
  const files = await filesOf(flags);
  if (!flags.dryRun) {
    await refuseOthers(files, flags);
    await Deno.mkdir(flags.out, { recursive: true });
    for (const { name, text } of files) {
      await writeFileAtomic(join(flags.out, name), text);
    }
  }
  terminal.print(table([
    ["file", "rows", "bytes", "sha-256"],
    ...files.map(({ name, rows, text, sha256 }) => [
      join(flags.out, name),
      count(rows),
      count(new TextEncoder().encode(text).length),
      sha256.slice(0, 16),
    ]),
  ]));
  return {
    json: {
      out: flags.out,
      rows: flags.rows,
      written: !flags.dryRun,
      files: files.map(({ name, rows, sha256 }) => ({ name, rows, sha256 })),
    },
  };
}

async function filesOf({ tauBench, rows }: Flags): Promise<MockFile[]> {
  const dir = tauBenchDir(tauBench);
  const files = await Promise.all((await domainsIn(dir)).map(async (domain) => {
    const bySplit = await loadTauBenchTasks(dir, domain);
    return SLIME_SPLITS.flatMap((split) => {
      const tasks = bySplit.get(split);
      if (tasks === undefined) return [];
      const text = slimeRows(tasks, rows);
      return [{
        name: slimeFileName(domain, split),
        rows: tasks.length,
        text,
        sha256: sha256([text]),
      }];
    });
  }));
  return files.flat();
}

/** Nothing is written if one file would replace another of the same name. */
async function refuseOthers(
  files: readonly MockFile[],
  { out, force }: Flags,
): Promise<void> {
  if (force) return;
  for (const { name, text } of files) {
    const path = join(out, name);
    const there = await readTextIfThere(path);
    if (there !== undefined && there !== text) {
      throw new ConfigError(
        `"${path}" is there and differs`,
        { hint: "choose another --out, or replace it by --force" },
      );
    }
  }
}

/** The knobs of the world that the command line names. */
function knobsHelp(argv: readonly string[]): string {
  const names = domainNames();
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
      command:
        "deno task mock --source tau-bench --out rows --tau-bench ../tau-bench",
      does: "the four files of slime's example, byte for byte",
    },
    {
      command: "deno task mock --source tau-bench --out rows --rows split",
      does:
        "rows that name their env and split, so that dev rows never run train tasks",
    },
  ],
  notes: knobsHelp(Deno.args),
  run,
});
