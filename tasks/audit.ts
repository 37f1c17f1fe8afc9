/**
 * `deno task audit`: checks the tasks of a dataset for defects, gives evidence for each finding, and lists the tasks to
 * exclude.
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
import {
  isPassed,
  refuseUnusedBenchmark,
  selectsTau3,
  tau3BenchFlag,
  tauBenchFlag,
} from "./_shared_flags.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { LOCAL_WORK, writesFiles } from "./_confine.ts";
import { table } from "../train/progress/text_table.ts";

const checkNames = Object.keys(CHECKS) as [CheckName, ...CheckName[]];

/** The names that `--data` accepts in addition to directories. */
const NAMED = ["generated", "tau-bench", "tau3-bench"];

function dataDirectory(value: string): boolean {
  return !NAMED.includes(value);
}

const flags = z.object({
  data: z.string().min(1).optional().meta({
    description:
      "Source of the tasks: generated, tau-bench, tau3-bench, or a directory in tau-bench's layout, such as one written by mock; default: tau-bench, or tau3-bench if only --tau3-bench is given",
    value: "DIR",
    isPath: dataDirectory,
  }),
  env: domainNameSchema.optional().meta({
    description:
      "Domain; default: the domain of the directory in --data, else retail",
  }),
  tauBench: tauBenchFlag,
  tau3Bench: tau3BenchFlag,
  seed: z.int().default(1).meta({
    description: "Seed of the generated world",
  }),
  split: z.array(z.enum(SPLITS)).default([]).meta({
    description:
      "Check only tasks of this split; may be repeated; default: all splits, or base for tau3-bench",
  }),
  check: z.array(z.enum(checkNames)).default([]).meta({
    description:
      "Run only this check (see the list below); also limits --exclusions and --report; may be repeated",
    choices: () => checkNames,
  }),
  show: z.int().min(0).default(40).meta({
    description: "Number of findings to list",
  }),
  report: z.string().min(1).optional().meta({
    description: "Write all findings as JSON to this file",
    value: "FILE",
    isPath: anyPath,
  }),
  exclusions: z.string().min(1).optional().meta({
    description: "Write the flagged tasks to this file, for use with --exclude",
    value: "FILE",
    isPath: anyPath,
  }),
});

type Flags = z.infer<typeof flags>;

async function run(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const data = dataOf(flags);
  refuseUnusedBenchmark(flags, dataDirectory(data) ? `"${data}"` : data);
  const dataset = await namedDataset({ ...flags, data });
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

function dataOf(flags: Flags): string {
  if (flags.data !== undefined) return flags.data;
  return selectsTau3(flags) && !isPassed("tau-bench")
    ? "tau3-bench"
    : "tau-bench";
}

/**
 * Returns the command that trains or evaluates without the flagged tasks; `undefined` if their list was not written.
 */
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

function splitsOf(
  { split }: Flags,
  { name, splits }: Dataset,
): readonly Split[] {
  const unknown = split.find((one) => !splits.includes(one));
  if (unknown !== undefined) {
    throw new ConfigError(
      `There is no split "${unknown}" in ${
        name === "generated" ? "the generated world" : name
      }`,
      { hint: `pass --split with one of ${splits.join(", ")}` },
    );
  }
  if (split.length > 0) return split;
  // The other splits of τ³-bench are subsets or supersets of base.
  return splits.includes("base") ? ["base"] : splits;
}

/** Writes the report and the list of exclusions, if flags request them. */
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
      `Tasks of ${name} ${domain} that deno task audit flagged (data ${
        fingerprint.slice(0, 16)
      }).\nRead the reasons, and remove the entries that you do not agree with.`;
    await writeFileAtomic(
      flags.exclusions,
      formatExclusions(inEverySplit(report.exclusions, dataset), head),
    );
  }
}

export const task = await main(import.meta, {
  name: "audit",
  summary:
    "Check a set of tasks for gold actions that fail, break the policy or cannot be inferred, for tasks that the do-nothing baseline solves, and for rows that splits share",
  flags,
  examples: [
    {
      command: "deno task audit --env airline --tau-bench ../tau-bench",
      does: "check τ-bench's airline tasks",
    },
    {
      command:
        "deno task audit --env retail --exclusions out.yaml --report audit.json",
      does:
        "write all findings as JSON, and the flagged tasks to out.yaml for use with --exclude",
    },
    {
      command:
        "deno task audit --tau3-bench ../tau2-bench --env telecom --split full",
      does:
        "check all of τ³-bench's telecom tasks, also against the benchmark's own rules",
    },
    {
      command: "deno task audit --data generated --seed 2",
      does: "check the tasks of a generated world",
    },
    {
      command: "deno task audit --data world",
      does: "check the tasks written by mock --out world",
    },
  ],
  notes: `Checks:\n${table([["check", "finds"], ...Object.entries(CHECKS)])}`,
  confine: ({ flags: { report, exclusions } }) => ({
    ...writesFiles(report, exclusions),
    ...LOCAL_WORK,
    endsAtOnce: report === undefined && exclusions === undefined,
  }),
  run,
});
