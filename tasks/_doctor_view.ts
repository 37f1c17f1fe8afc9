/**
 * Formats the report of `deno task doctor` for a terminal: a table per host, then the fixes (those for failures last),
 * and a summary.
 */

import type {
  Check,
  Finding,
  FindingState,
} from "../train/slime/doctor/check.ts";
import type { DoctorReport } from "../train/slime/doctor/doctor.ts";
import type { Terminal } from "./_terminal.ts";
import { duration } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

const MARKS: Readonly<Record<FindingState, string>> = {
  pass: "pass",
  warn: "WARN",
  fail: "FAIL",
  skipped: "–",
};

/** The live line that shows the checks in progress. */
export class DoctorLine {
  readonly #terminal: Terminal;
  readonly #startMs = performance.now();
  readonly #left: Set<string>;
  readonly #of: number;

  constructor(terminal: Terminal, checks: readonly Check[]) {
    this.#terminal = terminal;
    this.#left = new Set(checks.map(({ id }) => id));
    this.#of = this.#left.size;
  }

  /** Records that a check has ended, and updates the line. */
  end({ id }: Check): void {
    this.#left.delete(id);
    const seconds = (performance.now() - this.#startMs) / 1000;
    const left = [...this.#left].join(", ");
    this.#terminal.progress(
      `${this.#of - this.#left.size}/${this.#of} checks · ${duration(seconds)}${
        left === "" ? "" : ` · waiting for ${left}`
      }`,
    );
  }
}

/** Returns the doctor's report as text. */
export function doctorText({ findings }: DoctorReport): string {
  return [
    ...[...Map.groupBy(findings, ({ host }) => host ?? "the run")].map(
      ([host, all]) => `${host}\n${table(rowsOf(all))}`,
    ),
    ...fixesOf(findings),
    summaryOf(findings),
  ].join("\n\n");
}

function rowsOf(findings: readonly Finding[]): string[][] {
  const rows = findings.map(({ state, check, found }) => [
    MARKS[state],
    check,
    firstLine(found),
  ]);
  return [["", "check", "found"], ...rows];
}

/**
 * Returns a list with one text that contains all fixes, or an empty list if there are none. Fixes for warnings come
 * first, so that those for failures are closest to the prompt.
 */
function fixesOf(findings: readonly Finding[]): string[] {
  const ailing = (state: FindingState) =>
    findings.flatMap((finding) =>
      finding.state === state && "fix" in finding ? [finding] : []
    ).map(({ check, host, found, fix }) =>
      `${MARKS[state]} ${check}${
        host === undefined ? "" : ` on ${host}`
      }: ${found}\n     → ${fix}`
    );
  const all = [...ailing("warn"), ...ailing("fail")];
  return all.length === 0 ? [] : [`To fix:\n${all.join("\n")}`];
}

function summaryOf(findings: readonly Finding[]): string {
  const counts = countsOf(findings);
  const parts = [
    `${counts.pass} pass`,
    `${counts.warn} warn`,
    `${counts.fail} fail`,
    ...(counts.skipped > 0 ? [`${counts.skipped} skipped`] : []),
  ];
  return parts.join(", ");
}

/** Counts the findings by state. */
export function countsOf(
  findings: readonly Finding[],
): Record<FindingState, number> {
  const counts = { pass: 0, warn: 0, fail: 0, skipped: 0 };
  for (const { state } of findings) counts[state]++;
  return counts;
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  return line.length > 140 ? `${line.slice(0, 139)}…` : line;
}
