/** Part 1: the gold actions replay without an error, and each write has its expected effect. */

import { isWrite } from "../../audit/finding.ts";
import { isErrorAnswer } from "../../call_tool.ts";
import { Rejection, type Subject, textOf } from "./subject.ts";

/** The rows that each gold write changes: `orders/#W1234567`. */
export interface GoldEvidence {
  readonly writes: readonly {
    readonly tool: string;
    readonly rows: readonly string[];
  }[];
}

/**
 * Checks that the gold actions were replayed without an error, that no read changed a row, and that each write had its
 * expected effect.
 */
export function goldPart({ steps, goals }: Subject): GoldEvidence | Rejection {
  for (const { action, answer, changed, before, after } of steps) {
    const evidence = textOf(action);
    if (isErrorAnswer(answer)) {
      return rejection("a gold action returns an error", {
        evidence: `${evidence}: ${answer}`,
      });
    }
    if (!isWrite(action)) {
      if (changed) return rejection("a gold read changes rows", { evidence });
      continue;
    }
    const wrong = goals.effectError(action, { before, after });
    if (wrong !== null) {
      return rejection("a gold write does not have its expected effect", {
        evidence: `${evidence}: ${wrong}`,
      });
    }
  }
  return {
    writes: steps.filter(({ action }) => isWrite(action)).map((
      { action, before, after },
    ) => ({
      tool: action.name,
      rows: before.diff(after).map(({ table, id }) => `${table}/${id}`),
    })),
  };
}

function rejection(
  reason: string,
  { evidence }: { evidence: string },
): Rejection {
  return new Rejection("gold", { reason, evidence });
}
