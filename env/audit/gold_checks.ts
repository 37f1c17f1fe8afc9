/**
 * Checks that replay a task's gold: actions that answer with an error, that policy forbids, and tasks that are
 * solved by doing nothing.
 */

import { goldOf } from "../gold.ts";
import { domainOf } from "../domains/registry.ts";
import { policyViolations } from "../policy/oracle.ts";
import { printPythonJson } from "../python/python_json.ts";
import { grade } from "../reward.ts";
import type { Dataset, Task, ToolAction } from "../types.ts";
import { type Finding, finding, isWrite } from "./finding.ts";
import { isErrorAnswer } from "../call_tool.ts";
import { replayGold } from "./gold_replay.ts";

/** Gold actions that answer with an error. Only a write that fails takes the task's meaning away. */
export function goldErrors(task: Task, dataset: Dataset): Finding[] {
  return replayGold(task, dataset).filter(({ answer }) => isErrorAnswer(answer))
    .map((
      { action, answer },
    ) =>
      finding(task, {
        check: "gold_error",
        reason: `the gold's ${action.name} answers with an error`,
        evidence: `${printPythonJson(action.arguments)}: ${answer}`,
        exclude: isWrite(action),
      })
    );
}

/**
 * Gold actions that the tools accept and policy forbids, by the oracle.
 * @throws {MissingPartError} If the domain has no clauses.
 */
export function forbiddenGold(task: Task, dataset: Dataset): Finding[] {
  const domain = domainOf(dataset);
  const earlier: ToolAction[] = [];
  return replayGold(task, dataset).flatMap(({ action, before, changed }) => {
    if (!changed) return [];
    const { userId } = task;
    const broken = policyViolations(domain, {
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
