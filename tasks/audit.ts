/**
 * `deno task audit`: what is wrong with a set of tasks, each finding with its evidence, and which tasks to leave out.
 */

import { z } from "zod";
import {
  audit,
  type AuditReport,
  type CheckName,
  CHECKS,
} from "../env/audit/audit.ts";
import { inEverySplit } from "../env/audit/every_split.ts";
import { ConfigError } from "../env/errors.ts";
import {
  domainKey,
  domainNameSchema,
  domainOf,
} from "../env/domains/registry.ts";
import { type Dataset, type Split, SPLITS } from "../env/types.ts";
import { formatExclusions } from "../train/config/exclusions.ts";
import { namedDataset } from "../train/config/named_dataset.ts";
import { writeFileAtomic } from "../train/runs/storage.ts";
import { anyPath } from "./_caller_paths.ts";
import { reportText } from "./_audit_view.ts";
import { tau3BenchFlag, tauBenchFlag } from "./_shared_flags.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { ON_ITS_OWN, writesFiles } from "./_confine.ts";

const checkNames = Object.keys(CHECKS) as [CheckName, ...CheckName[]];

/** Datasets that go by a name of their own, and are no directories. */
const NAMED = ["generated", "tau-bench", "tau3-bench"];

function dataDirectory(value: string): boolean {
  return !NAMED.includes(value);
}

const flags = z.object({
  data: z.string().min(1).optional().meta({
    description:
      "Where the tasks come from: generated, tau-bench, tau3-bench, or a directory in tau-bench's layout, as mock writes one; default: tau-bench, or the benchmark that a directory is given of",
    value: "DIR",
    isPath: dataDirectory,
  }),
  env: domainNameSchema.optional().meta({
    description:
      "The world; default: the one that the directory has, or retail",
  }),
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  seed: z.int().default(1).meta({
    description: "Seed of the generated world",
  }),
  split: z.array(z.enum(SPLITS)).default([]).meta({
    description:
      "Only tasks of this split; may be repeated; default: all, of tau3-bench base",
  }),
  check: z.array(z.enum(checkNames)).default([]).meta({
    description:
      "Only this check, in --exclusions and --report too; may be repeated",
  }),
  show: z.int().min(0).default(40).meta({
    description: "Findings to list",
  }),
  report: z.string().min(1).optional().meta({
    description: "Write all findings as JSON to this file",
    value: "FILE",
    isPath: anyPath,
  }),
  exclusions: z.string().min(1).optional().meta({
    description:
      "Write the flagged tasks to this file, which train and evaluate take by --exclude",
    value: "FILE",
    isPath: anyPath,
  }),
});

type Flags = z.infer<typeof flags>;

async function run(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const dataset = await namedDataset({ ...flags, data: dataOf(flags) });
  const splits = splitsOf(flags, dataset);
  const tasks = splits.flatMap((split) => dataset.tasks(split));
  const line = terminal.counting(tasks.length, "tasks");
  const { check, show } = flags;
  const report = audit(dataset, {
    splits,
    ...(check.length > 0 ? { checks: check } : {}),
    signal,
    onTask: () => line.step(),
  });
  terminal.endProgress();
  terminal.print(reportText(report, { domain: domainOf(dataset), show }));
  await write(report, { dataset, flags });
  return {
    json: { data: dataset.name, domain: dataset.domain, ...report },
    next: nextOf(flags, dataset),
  };
}

function dataOf({ data, tauBench, tau3Bench }: Flags): string {
  if (data !== undefined) return data;
  return tau3Bench !== undefined && tauBench === undefined
    ? "tau3-bench"
    : "tau-bench";
}

/** Training without what was flagged, where that was written. */
function nextOf(
  flags: Flags,
  dataset: Dataset,
): string | undefined {
  const { exclusions, tauBench = "DIR", tau3Bench = "DIR", env } = flags;
  if (exclusions === undefined) return undefined;
  const data = dataOf(flags);
  if (data === "tau3-bench") {
    return `deno task evaluate --tau3-bench ${tau3Bench} --env ${
      env ?? dataset.domain
    } --exclude ${exclusions}`;
  }
  const source = data === "generated"
    ? ""
    : ` --data tau-bench --tau-bench ${data === "tau-bench" ? tauBench : data}`;
  return `deno task train${source} --env ${
    domainKey(dataset)
  } --exclude ${exclusions}`;
}

function splitsOf({ split }: Flags, { splits }: Dataset): readonly Split[] {
  const unknown = split.find((one) => !splits.includes(one));
  if (unknown !== undefined) {
    throw new ConfigError(
      `There is no split "${unknown}" in this dataset`,
      { hint: `it has ${splits.join(", ")}` },
    );
  }
  if (split.length > 0) return split;
  // The other splits of τ³-bench are parts of it, or hold it.
  return splits.includes("base") ? ["base"] : splits;
}

/** Files are written whole, and only after everything was looked at. */
async function write(
  report: AuditReport,
  { dataset, flags }: { dataset: Dataset; flags: Flags },
): Promise<void> {
  const { name, domain, fingerprint } = dataset;
  if (flags.report !== undefined) {
    const about = { data: name, domain, fingerprint };
    const text = JSON.stringify({ ...about, ...report }, null, 2);
    await writeFileAtomic(flags.report, `${text}\n`);
  }
  if (flags.exclusions !== undefined) {
    const head =
      `Tasks of ${name} ${domain} that deno task audit would leave out (data ${
        fingerprint.slice(0, 16)
      }).\nRead the reasons, and take out what you do not agree with.`;
    await writeFileAtomic(
      flags.exclusions,
      formatExclusions(inEverySplit(report.exclusions, dataset), head),
    );
  }
}

export const task = await main(import.meta, {
  name: "audit",
  summary:
    "Check a set of tasks: gold that fails, is forbidden or cannot be known, tasks that nothing solves, splits that share rows",
  flags,
  examples: [
    {
      command: "deno task audit --env airline --tau-bench ../tau-bench",
      does: "the findings in τ-bench's airline tasks",
    },
    {
      command:
        "deno task audit --env retail --exclusions out.yaml --report audit.json",
      does: "everything as JSON, and what to leave out by --exclude out.yaml",
    },
    {
      command:
        "deno task audit --tau3-bench ../tau2-bench --env telecom --split full",
      does: "the same on all of τ³-bench's telecom, by its own rules too",
    },
    {
      command: "deno task audit --data generated --seed 2",
      does: "the same checks on a generated world",
    },
    {
      command: "deno task audit --data world",
      does: "the same on what mock --out world has written",
    },
  ],
  confine: ({ flags: { report, exclusions } }) => ({
    ...writesFiles(report, exclusions),
    ...ON_ITS_OWN,
    endsAtOnce: report === undefined && exclusions === undefined,
  }),
  run,
});
