/** Formats the report of `deno task audit` for a terminal. */

import { type AuditReport, CHECKS, checksOf } from "../env/audit/audit.ts";
import type { Domain } from "../env/domain.ts";
import type { Split } from "../env/types.ts";
import { count, percent } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** Options for {@linkcode reportText}. */
export interface ShownAudit {
  readonly domain: Domain;
  /** The maximum number of findings to list. */
  readonly show: number;
}

/**
 * Returns the report as text: the number of tasks with findings by check and split, the number of users and rows that
 * several splits share, the first `show` findings, and the number of flagged tasks.
 */
export function reportText(
  report: AuditReport,
  { domain, show }: ShownAudit,
): string {
  const { findings, exclusions, tasks } = report;
  const all = Object.values(tasks).reduce((sum, n) => sum + n, 0);
  return [
    countsTable(report),
    ...(report.overlaps.length === 0 ? [] : [overlapTable(report, domain)]),
    ...(show === 0 ? [] : [
      findings.slice(0, show).map(({ taskId, reason, evidence }) =>
        `${taskId}: ${reason}\n  ${evidence}`
      ).join("\n"),
    ]),
    ...(findings.length > show
      ? [
        `… and ${
          count(findings.length - show)
        } more: pass --show N to list them, or --report FILE to write all`,
      ]
      : []),
    `${count(exclusions.length)} of ${count(all)} tasks (${
      percent(exclusions.length / all)
    }) are flagged`,
  ].filter((part) => part !== "").join("\n\n");
}

/** Returns a table of the number of tasks with findings, by check and split. */
function countsTable(report: AuditReport): string {
  const { findings, tasks, unchecked } = report;
  const splits = Object.keys(tasks) as Split[];
  return table([
    ["tasks with", ...splits],
    ...checksOf(report).map((name) => [
      CHECKS[name],
      ...splits.map((split) => {
        if (unchecked?.some((check) => check === name)) return "not checked";
        const found = findings.filter(({ check, split: of }) =>
          check === name && of === split
        );
        return count(new Set(found.map(({ taskId }) => taskId)).size);
      }),
    ]),
    ["(all tasks)", ...splits.map((split) => count(tasks[split] ?? 0))],
  ]);
}

function overlapTable({ overlaps }: AuditReport, domain: Domain): string {
  return table([
    [
      "splits",
      "shared users",
      `shared ${
        domain.rows?.owned.map(({ table }) => table).join(", ") ?? "rows"
      }`,
    ],
    ...overlaps.map(({ splits, users, rows }) => [
      splits.join(" and "),
      count(users),
      count(rows),
    ]),
  ]);
}
