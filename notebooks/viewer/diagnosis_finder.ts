/** Converts the diagnosis of an episode to findings: its first decisive error, and who is at fault. */

import { diagnose, type Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { printPythonJson } from "../../env/python/python_json.ts";
import type {
  RewardCheck,
  RowDifference,
  StopReason,
} from "../../env/types.ts";
import { parseTurns } from "../../train/runs/run_episodes.ts";
import type { FinderInput } from "./findings.ts";
import type { FindingView } from "./protocol.ts";

/**
 * Diagnoses an episode and returns the findings. There are no findings if the reward is 1, or if the run's dataset or
 * the task is not available.
 */
export function diagnosisFindings(
  { episode, turns, reward, failure, userFindings, dataset, task }: FinderInput,
): FindingView[] {
  const isRight = reward?.value === 1;
  if (isRight || dataset === null || task === null) return [];
  const diagnosis = diagnose({
    turns: parseTurns(printPythonJson([...turns])),
    stopReason: episode.row.stop as StopReason, // the store writes only these
    reward,
  }, {
    dataset,
    task,
    failure,
    findings: userFindings,
  });
  return [...decisiveFinding(diagnosis), ...faultFinding(diagnosis)];
}

function decisiveFinding({ decisive }: Diagnosis): FindingView[] {
  if (decisive === null) return [];
  const finding = { kind: "decisive", turn: decisive.turn, blame: null };
  switch (decisive.kind) {
    case "write":
      return [{
        ...finding,
        title: decisive.isCertain
          ? `First decisive error: after ${decisive.action.name} the task could no longer be solved`
          : `First decisive error within the search limits: ${decisive.action.name}`,
        detail: [
          rowsText("Wrong from then on", decisive.rows),
          unmetText(decisive.unmet),
        ].filter(Boolean).join(" "),
      }];
    case "ending": {
      const missing = decisive.missing.map(({ name, by }) =>
        by === "user" ? `${name} (by the user)` : name
      ).join(", ");
      return [{
        ...finding,
        title: "The task could still be solved when the conversation ended",
        detail: [
          missing === "" ? "" : `Never done: ${missing}.`,
          rowsText("Wrong at the end", decisive.rows),
          unmetText(decisive.unmet),
        ].filter(Boolean).join(" "),
      }];
    }
    case "untold":
      return [{
        ...finding,
        title: "The database is right, but a required output is missing",
        detail: decisive.outputs.map((output) => `"${output}"`).join(", "),
      }];
    case "cut_off":
      return [{
        ...finding,
        title: "Everything is right, but the conversation was cut off",
        detail: "",
      }];
  }
}

function faultFinding({ fault }: Diagnosis): FindingView[] {
  if (fault === null) return [];
  return [{
    kind: "fault",
    title: fault.by === "unknown"
      ? `Fault unknown, no rule applies: ${fault.rule}`
      : `The ${fault.by}'s fault, by rule: ${fault.rule}`,
    detail: fault.evidence,
    turn: null,
    blame: fault.by,
  }];
}

function unmetText(unmet: readonly RewardCheck[] = []): string {
  return unmet.length === 0
    ? ""
    : `Not met: ${unmet.map(({ what }) => what).join("; ")}.`;
}

function rowsText(what: string, rows: readonly RowDifference[]): string {
  return rows.length === 0
    ? ""
    : `${what}: ${rows.map(({ table, id }) => `${table} ${id}`).join(", ")}.`;
}
