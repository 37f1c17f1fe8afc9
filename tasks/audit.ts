/**
 * `deno task audit`: what is wrong with a set of tasks, each finding with its evidence, and which tasks to leave out.
 */

import { join } from "node:path";
import { z } from "zod";
import {
  audit,
  type AuditReport,
  type CheckName,
  CHECKS,
} from "../env/audit/audit.ts";
import { ConfigError } from "../env/errors.ts";
import type { Dataset, DomainName, Split } from "../env/types.ts";
import { dataSchema } from "../train/config/config_sections.ts";
import { openDataset } from "../train/config/open_dataset.ts";
import { formatExclusions } from "../train/config/exclusions.ts";
import { writeFileAtomic } from "../train/runs/storage.ts";
import { main, type TaskContext, type TaskResult } from "./_cli.ts";
import { count, duration, percent } from "../train/progress/amounts.ts";
import { table } from "../train/progress/table.ts";

const checkNames = Object.keys(CHECKS) as [CheckName, ...CheckName[]];

const flags = z.object({
  data: z.string().min(1).default("tau-bench").meta({
    description:
      "Where the tasks come from: generated, tau-bench, or a directory in tau-bench's layout, as mock writes one",
    value: "DIR",
  }),
  env: z.enum(["retail", "airline"]).optional().meta({
    description:
      "The world; default: the one that the directory has, or retail",
  }),
  tauBench: z.string().optional().meta({
    description: "Directory of tau-bench's data",
    value: "DIR",
    env: "TAU_BENCH_DIR",
  }),
  seed: z.int().default(1).meta({
    description: "Seed of the generated world",
  }),
  split: z.array(z.enum(["train", "dev", "test"])).default([]).meta({
    description: "Only tasks of this split; may be repeated; default: all",
  }),
  check: z.array(z.enum(checkNames)).default([]).meta({
    description: "List only findings of this check; may be repeated",
  }),
  show: z.int().min(0).default(40).meta({
    description: "Findings to list",
  }),
  report: z.string().min(1).optional().meta({
    description: "Write all findings as JSON to this file",
    value: "FILE",
  }),
  exclusions: z.string().min(1).optional().meta({
    description:
      "Write the tasks that should be left out to this file, which train and evaluate take by --exclude",
    value: "FILE",
  }),
});

type Flags = z.infer<typeof flags>;

async function run(
  flags: Flags,
  { terminal, signal }: TaskContext,
): Promise<TaskResult> {
  const dataset = await open(flags);
  const splits = splitsOf(flags, dataset);
  const from = performance.now();
  const report = audit(dataset, {
    splits,
    signal,
    onTask: (done, of) => {
      const rate = done / ((performance.now() - from) / 1000);
      terminal.progress(
        `${count(done)}/${count(of)} tasks · ${rate.toFixed(0)}/s · ${
          duration((of - done) / rate)
        } left`,
      );
    },
  });
  terminal.endProgress();
  terminal.print(reportText(report, { dataset, flags }));
  await write(report, { dataset, flags });
  return {
    json: { data: dataset.name, domain: dataset.domain, ...report },
  };
}

async function open({ data, env, tauBench, seed }: Flags): Promise<Dataset> {
  const isNamed = data === "generated" || data === "tau-bench";
  const worlds = isNamed ? [] : await worldsIn(data);
  return await openDataset(dataSchema.parse({
    source: data === "generated" ? data : "tau-bench",
    domain: env ?? worlds[0] ?? "retail",
    directory: isNamed ? tauBench || null : data,
    worldSeed: seed,
  }));
}

/** The worlds that a directory has tasks of. @throws {ConfigError} If it has none. */
async function worldsIn(directory: string): Promise<DomainName[]> {
  const worlds: DomainName[] = [];
  for (const name of ["retail", "airline"] as const) {
    const found = await Deno.stat(join(directory, name)).catch(() => null);
    if (found?.isDirectory) worlds.push(name);
  }
  if (worlds.length > 0) return worlds;
  throw new ConfigError(
    `--data ${directory} is neither generated nor tau-bench, nor a directory with a world in it ("retail" or "airline")`,
    { hint: "name one that deno task mock or deno task import has written" },
  );
}

function splitsOf({ split }: Flags, { splits }: Dataset): readonly Split[] {
  const unknown = split.find((one) => !splits.includes(one));
  if (unknown !== undefined) {
    throw new ConfigError(
      `There is no split "${unknown}" in this dataset`,
      { hint: `it has ${splits.join(", ")}` },
    );
  }
  return split.length === 0 ? splits : split;
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
      formatExclusions(report.exclusions, head),
    );
  }
}

function reportText(
  report: AuditReport,
  { dataset, flags }: { dataset: Dataset; flags: Flags },
): string {
  const { findings, exclusions, tasks } = report;
  const listed = findings.filter(({ check }) =>
    flags.check.length === 0 || flags.check.includes(check)
  );
  const all = Object.values(tasks).reduce((sum, n) => sum + n, 0);
  return [
    countsTable(report),
    ...(report.overlaps.length === 0 ? [] : [overlapTable(report, dataset)]),
    ...(flags.show === 0 ? [] : [
      listed.slice(0, flags.show).map(({ taskId, reason, evidence }) =>
        `${taskId}: ${reason}\n  ${evidence}`
      ).join("\n"),
    ]),
    ...(listed.length > flags.show
      ? [
        `… and ${
          count(listed.length - flags.show)
        } more; --show N lists them, --report FILE writes all`,
      ]
      : []),
    `${count(exclusions.length)} of ${count(all)} tasks (${
      percent(exclusions.length / all)
    }) should be left out`,
  ].filter((part) => part !== "").join("\n\n");
}

/** Tasks with a finding, by check and split. */
function countsTable({ findings, tasks }: AuditReport): string {
  const splits = Object.keys(tasks) as Split[];
  return table([
    ["tasks with", ...splits],
    ...checkNames.map((name) => [
      CHECKS[name],
      ...splits.map((split) => {
        const found = findings.filter(({ check, split: of }) =>
          check === name && of === split
        );
        return count(new Set(found.map(({ taskId }) => taskId)).size);
      }),
    ]),
    ["(tasks in all)", ...splits.map((split) => count(tasks[split] ?? 0))],
  ]);
}

function overlapTable({ overlaps }: AuditReport, { domain }: Dataset): string {
  return table([
    [
      "shared between",
      "customers",
      domain === "retail" ? "orders" : "reservations",
    ],
    ...overlaps.map(({ splits, customers, rows }) => [
      splits.join(" and "),
      count(customers),
      count(rows),
    ]),
  ]);
}

if (import.meta.main) {
  await main({
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
        command: "deno task audit --data generated --seed 2",
        does: "the same checks on a generated world",
      },
      {
        command: "deno task audit --data world",
        does: "the same on what mock --out world has written",
      },
    ],
    run,
  });
}
