/** Formats the report of `deno task diagnose` for a terminal. */

import type { Diagnosis } from "../env/diagnosis/diagnose.ts";
import { toPlain } from "../env/python/python_json.ts";
import type { RowDifference, SidedAction } from "../env/types.ts";
import {
  type Agreement,
  decisiveText,
  type Diagnosed,
  type DiagnosisReport,
} from "../train/diagnosis/diagnosis_report.ts";
import { count, percent } from "../train/progress/amounts.ts";
import { table } from "../train/progress/text_table.ts";

/** The contents of a report, for {@linkcode reportText}. */
export interface ReportParts {
  readonly path: string;
  readonly report: DiagnosisReport;
  readonly all: readonly Diagnosed[];
  /** The total number of episodes, including those that earned the reward. */
  readonly episodes: number;
  /** The maximum number of episodes to list. */
  readonly show: number;
}

/**
 * Returns the report as text: tables of faults and errors, the agreement with the judge (if there is one), and the
 * first diagnosed episodes.
 */
export function reportText(
  { path, report, all, episodes, show }: ReportParts,
): string {
  const { failed, faults, rules, decisive, agreement } = report;
  const head = `${path}: ${count(failed)} of ${
    count(episodes)
  } episodes earned no reward`;
  if (failed === 0) return head;
  return [
    head,
    sharesTable("at fault", Object.entries(faults).filter(([, n]) => n > 0)),
    sharesTable("rule", rules),
    sharesTable("first decisive error", decisive),
    ...(agreement === null ? [] : [agreementText(agreement)]),
    ...all.slice(0, show).map(episodeText),
    ...(all.length > show
      ? [`… and ${count(all.length - show)} more: pass --show N to list them`]
      : []),
  ].join("\n\n");
}

function sharesTable(
  title: string,
  entries: readonly (readonly [string, number])[],
): string {
  const sum = entries.reduce((total, [, n]) => total + n, 0);
  return table([
    [title, "episodes", "share"],
    ...entries.map(([word, n]) => [word, count(n), percent(n / sum)]),
  ]);
}

function agreementText(agreement: Agreement): string {
  const { both, share, kappa, table: counts, unreadable } = agreement;
  const rows = Object.entries(counts).map(([rule, byJudge]) => [
    rule,
    ...Object.values(byJudge).map(count),
  ]);
  const words = `rules and judge agree on ${percent(share)} of ${count(both)}` +
    `${kappa === null ? "" : `, kappa ${kappa.toFixed(2)}`}` +
    `${unreadable === 0 ? "" : `; unreadable answers: ${count(unreadable)}`}`;
  return `${
    table([["rule \\ judge", ...Object.keys(counts)], ...rows])
  }\n${words}`;
}

/** Formats an episode and its diagnosis in one or more lines. */
function episodeText({ episode, diagnosis, verdict }: Diagnosed): string {
  const { record, task } = episode;
  const { fault, decisive } = diagnosis;
  const at = decisive === null ? "" : `, turn ${decisive.turn + 1}`;
  const lines = [
    `episode ${record.id}: ${task.id}, step ${record.step}${at}: ${
      decisiveText(diagnosis)
    }`,
    ...wrongLines(diagnosis),
    ...(fault === null
      ? []
      : [`${fault.by}: ${fault.rule}${quoted(fault.evidence)}`]),
    ...(verdict
      ? [`judge: ${verdict.fault}, ${verdict.kind}: ${verdict.why}`]
      : []),
  ];
  return lines.join("\n  ");
}

function quoted(evidence: string): string {
  return evidence === "" ? "" : ` (${evidence.slice(0, 200)})`;
}

function wrongLines({ decisive }: Diagnosis): string[] {
  if (decisive === null || decisive.kind === "cut_off") return [];
  if (decisive.kind === "untold") {
    return [`not told: ${decisive.outputs.join(", ")}`];
  }
  const { rows, unmet = [] } = decisive;
  return [
    ...rows.slice(0, 4).map(rowText),
    // The differing rows already say what the database check says.
    ...unmet.filter(({ part }) => part !== "DB" || rows.length === 0)
      .slice(0, 4).map(({ what }) => `not met: ${what}`),
    ...(decisive.kind === "ending" && unmet.length > 0
      ? decisive.missing.slice(0, 4).map(missingText)
      : []),
  ];
}

function missingText({ name, by }: SidedAction): string {
  return `never called by the ${by ?? "agent"}: ${name}`;
}

function rowText({ table, id, fields }: RowDifference): string {
  const shown = fields.slice(0, 3).map(({ path, expected, actual }) =>
    `${path} is ${short(actual)}, should be ${short(expected)}`
  );
  const more = fields.length > 3 ? `; ${fields.length - 3} more fields` : "";
  return `${table} ${id}: ${shown.join("; ")}${more}`;
}

function short(value: string | null): string {
  if (value === null) return "absent";
  return value.length > 60 ? `${value.slice(0, 57)}…` : value;
}

/** Returns a diagnosis as an object for `--json`, without database states. */
export function diagnosedJson(
  { episode: { record, task }, diagnosis, verdict }: Diagnosed,
): Record<string, unknown> {
  const { decisive, fault } = diagnosis;
  return {
    id: record.id,
    task_id: task.id,
    step: record.step,
    source: record.source,
    reason: record.reason,
    fault,
    decisive: decisive?.kind === "write"
      ? {
        ...decisive,
        action: {
          name: decisive.action.name,
          arguments: toPlain(decisive.action.arguments),
        },
      }
      : decisive?.kind === "ending"
      ? { ...decisive, missing: decisive.missing.map(({ name }) => name) }
      : decisive,
    ...(verdict === undefined ? {} : { verdict }),
  };
}
