/**
 * Checks that replay a task's gold: actions that answer with an error, that policy forbids, and tasks that are
 * solved by doing nothing.
 *
 * @module
 */

import { callTool } from "../call_tool.ts";
import type { Database } from "../database.ts";
import { domainNamed } from "../domains.ts";
import { goldOf } from "../gold.ts";
import { policyViolations } from "../policy/oracle.ts";
import { printPythonJson } from "../python_json.ts";
import { grade } from "../reward.ts";
import type { Dataset, Task, ToolAction } from "../types.ts";
import { type Finding, finding, isWrite } from "./finding.ts";

/** A gold action as it went. */
interface GoldStep {
  readonly action: ToolAction;
  readonly answer: string;
  readonly before: Database;
  readonly changed: boolean;
}

/** Gold actions that answer with an error. Only a write that fails takes the task's meaning away. */
export function goldErrors(task: Task, dataset: Dataset): Finding[] {
  return replay(task, dataset).filter(({ answer }) =>
    answer.startsWith("Error") || answer.startsWith("Unknown action")
  ).map(({ action, answer }) =>
    finding(task, {
      check: "gold_error",
      reason: `the gold's ${action.name} answers with an error`,
      evidence: `${printPythonJson(action.arguments)}: ${answer}`,
      exclude: isWrite(action),
    })
  );
}

/** Gold actions that the tools accept and policy forbids, by the oracle. */
export function forbiddenGold(task: Task, dataset: Dataset): Finding[] {
  const earlier: ToolAction[] = [];
  return replay(task, dataset).flatMap(({ action, before, changed }) => {
    if (!changed) return [];
    const { userId } = task;
    const broken = policyViolations(task.domain, {
      action,
      database: before,
      userId,
      earlier: [...earlier],
    });
    earlier.push(action);
    return broken.map(({ clause, text, evidence }) =>
      finding(task, {
        check: "forbidden",
        reason: `the gold's ${action.name} breaks ${clause}: ${text}`,
        evidence,
        exclude: true,
      })
    );
  });
}

/** Tasks that an agent solves who says and does nothing. */
export function idleTasks(task: Task, dataset: Dataset): Finding[] {
  const gold = goldOf(dataset, task);
  const database = dataset.database.fork();
  if (grade({ database, gold, task, said: [] }).value !== 1) return [];
  const writes = task.actions.filter(isWrite);
  const why = writes.length === 0
    ? "no gold action changes anything, and nothing has to be told"
    : `its writes change nothing: ${writes.map(({ name }) => name).join(", ")}`;
  return [
    finding(task, {
      check: "idle",
      reason: "doing nothing earns the reward",
      evidence: why,
      exclude: true,
    }),
  ];
}

function replay(task: Task, dataset: Dataset): GoldStep[] {
  const domain = domainNamed(task.domain);
  const database = dataset.database.fork();
  return task.actions.map((action) => {
    const before = database.fork();
    const answer = callTool(domain, database, action);
    const changed = database.diff(before).length > 0;
    return { action, answer, before, changed };
  });
}
