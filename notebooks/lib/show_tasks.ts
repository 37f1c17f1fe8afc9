/**
 * Creates notebook output for generated tasks: their certificates, the policy clauses that they test, and the findings
 * of audits.
 */

import * as Plot from "@observablehq/plot";
import { type AuditReport, CHECKS } from "../../env/audit/audit.ts";
import type { Certificate } from "../../env/generated/certificate/certificate.ts";
import type { Coverage } from "../../env/generated/coverage.ts";
import { stackedBars } from "./figure.ts";
import { type Rich, stack } from "./rich.ts";
import { table } from "./table.ts";

/** Shows a certificate as a table with one row per check. A row contains what was checked and the result. */
export function showCertificate(certificate: Certificate): Rich {
  const { gold, policy, solvable, unique, strict, expert } = certificate;
  const refused = policy.refused.map(({ tool, why }) => `${tool} (${why})`);
  const parts: [string, string, string][] = [
    [
      "gold",
      "replays without an error, and each write changes the expected rows",
      gold.writes.map(({ tool, rows }) => `${tool}: ${rows.join(", ")}`)
        .join("; ") || "no writes",
    ],
    [
      "policy",
      "allows each write and forbids each refused request",
      `allows ${policy.allowed.join(", ") || "nothing"}${
        refused.length === 0 ? "" : `; refuses ${refused.join(", ")}`
      }`,
    ],
    [
      "solvable",
      "each argument is in the instruction or in a read's result",
      `${counted(solvable.reads, "read")}, longest chain ${solvable.chain}`,
    ],
    [
      "unique",
      "every allowed way to fulfil the instruction ends in the same state",
      `${counted(unique.ways, "way")}, ${
        counted(unique.barred, "call")
      } forbidden`,
    ],
    [
      "strict",
      "the do-nothing baseline and missing, extra or wrong writes score 0",
      `${counted(strict.wrong, "wrong write")} and ${
        counted(strict.tooMuch, "extra write")
      } tried`,
    ],
    [
      "expert",
      "the expert scores 1 with the scripted user",
      `${expert.turns} turns`,
    ],
  ];
  return table(
    parts.map(([part, checked, found]) => ({ part, checked, found })),
  );
}

/**
 * Draws the number of tasks that test each policy clause, either because the agent must follow it or because it must
 * refuse a request under it.
 */
export function coverageFigure(coverage: readonly Coverage[]): Rich {
  const kinds = { allowed: "followed", refused: "refused" } as const;
  const parts = [...Map.groupBy(coverage, ({ clause }) => clause)].flatMap(
    ([of, tools]) =>
      (["allowed", "refused"] as const).map((key) => ({
        of,
        kind: kinds[key],
        value: tools.reduce((sum, one) => sum + one[key], 0),
      })),
  );
  const clauses = Map.groupBy(parts, (part) => part.of);
  const untested = [...clauses].filter(([, tools]) =>
    tools.every(({ value }) => value === 0)
  ).map(([clause]) => clause);
  return stackedBars(parts, {
    alt: `${clauses.size} clauses, ${
      untested.length === 0
        ? "all tested"
        : `not tested: ${untested.join(", ")}`
    }`,
    bar: 18,
    marginLeft: 190,
    x: { label: "tasks", grid: true },
    marks: [Plot.ruleX([0])],
  });
}

/**
 * Shows the checks of an audit, the number of tasks that each check flagged, and the first findings with their
 * evidence.
 */
export function showAudit(
  { findings, exclusions }: AuditReport,
  { limit = 8 }: { readonly limit?: number } = {},
): Rich {
  const counts = Object.entries(CHECKS).map(([check, what]) => ({
    "tasks with": what,
    found: new Set(
      findings.filter((one) => one.check === check).map((one) => one.taskId),
    ).size,
  }));
  const left = {
    "tasks with": "a reason for exclusion",
    found: exclusions.length,
  };
  if (findings.length === 0) return table([...counts, left]);
  return stack(
    table([...counts, left]),
    table(
      findings.map(({ taskId, reason, evidence }) => ({
        task: taskId,
        reason,
        evidence,
      })),
      { limit },
    ),
  );
}

/** Formats a count and a noun: `1 way`, `2 ways`. */
function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
