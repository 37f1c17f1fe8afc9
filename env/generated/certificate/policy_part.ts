/**
 * Part 2: the policy oracle, which is implemented independently of the tools, allows each gold write and forbids every
 * call that would fulfill a refused request.
 */

import { isWrite } from "../../audit/finding.ts";
import type { Violation } from "../../policy/clause.ts";
import { policyViolations } from "../../policy/oracle.ts";
import type { Database } from "../../database.ts";
import type { Request } from "../../domains/shared/goal/goal.ts";
import type { ToolAction } from "../../types.ts";
import { Rejection, type Subject } from "./subject.ts";

/** The verdicts of the policy oracle. */
export interface PolicyEvidence {
  /** The tool names of the allowed writes, in order. */
  readonly allowed: readonly string[];
  readonly refused: readonly {
    /** The index of the request. */
    readonly request: number;
    readonly tool: string;
    readonly clauses: readonly string[];
    /** The evidence that the request breaks the clause for which it is refused. */
    readonly why: string;
  }[];
}

/** Checks a task's gold writes and refused requests with the policy oracle. */
export function policyPart(subject: Subject): PolicyEvidence | Rejection {
  const allowed = subject.steps.filter(({ action }) => isWrite(action));
  const earlier: ToolAction[] = [];
  for (const { action, before } of allowed) {
    const [broken] = ask(subject, { action, database: before, earlier });
    if (broken !== undefined) {
      return new Rejection("policy", {
        reason: `a gold write breaks ${broken.clause}`,
        evidence: `${action.name}: ${broken.evidence}`,
      });
    }
    earlier.push(action);
  }
  const refused: PolicyEvidence["refused"][number][] = [];
  for (const [index, request] of subject.goal.requests.entries()) {
    if (request.refused !== true) continue;
    const evidence = refusedBy(subject, { request, index });
    if (evidence instanceof Rejection) return evidence;
    refused.push(evidence);
  }
  return { allowed: allowed.map(({ action }) => action.name), refused };
}

/**
 * Returns the evidence for a refused request. Rejects the task unless the policy forbids every call that would fulfill
 * the request, both before and after the gold writes. If the request names the clause for which it is refused, each
 * call must break that clause before the gold writes.
 */
function refusedBy(
  subject: Subject,
  { request, index }: { request: Request; index: number },
): PolicyEvidence["refused"][number] | Rejection {
  const { dataset, task, goals, gold } = subject;
  const { userId } = task;
  const calls = goals.fulfillingCalls({
    request,
    database: dataset.database,
    userId,
  });
  const [first] = calls;
  if (first === undefined) {
    return new Rejection("policy", {
      reason: "no call would fulfill a refused request",
      evidence: JSON.stringify(request),
    });
  }
  const at = (action: ToolAction, database: Database) =>
    ask(subject, { action, database, earlier: [] });
  for (const action of calls) {
    const [before, after] = [at(action, dataset.database), at(action, gold)];
    const wanted = request.refusedBy;
    const fits = before.length > 0 && after.length > 0 &&
      (wanted === undefined || before.some(({ clause }) => clause === wanted));
    if (!fits) {
      return new Rejection("policy", {
        reason: "policy allows a request that the task refuses",
        evidence: `${action.name}: ${
          before.map(({ clause }) => clause).join(", ") || "allowed"
        } instead of ${wanted ?? "forbidden"}`,
      });
    }
  }
  const broken = at(first, dataset.database);
  const why = broken.find(({ clause }) => clause === request.refusedBy) ??
    broken[0];
  return {
    request: index,
    tool: first.name,
    clauses: broken.map(({ clause }) => clause),
    why: why?.evidence ?? "",
  };
}

function ask(
  { domain, task }: Subject,
  situation: {
    action: ToolAction;
    database: Database;
    earlier: readonly ToolAction[];
  },
): Violation[] {
  return policyViolations(domain, { ...situation, userId: task.userId });
}
