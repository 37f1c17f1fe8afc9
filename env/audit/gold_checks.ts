/**
 * Replays tasks' gold actions to find errors, violations of the policy, and tasks that the do-nothing baseline solves.
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

/** Finds gold actions that return an error. A task is flagged only if a write fails. */
export function goldErrors(task: Task, dataset: Dataset): Finding[] {
  return replayGold(task, dataset).filter(({ answer }) => isErrorAnswer(answer))
    .map((
      { action, answer },
    ) =>
      finding(task, {
        check: "gold_error",
        reason: `the gold action ${action.name} returns an error`,
        evidence: `${printPythonJson(action.arguments)}: ${answer}`,
        exclude: isWrite(action),
      })
    );
}

/**
 * Finds gold actions that change the database although the policy forbids them, according to the policy oracle.
 * @throws {MissingPartError} If the domain has no policy clauses.
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
        reason: `the gold action ${action.name} breaks ${clause}: ${text}`,
        evidence,
        exclude: true,
      })
    );
  });
}

/** Returns a finding if the do-nothing baseline solves the task. */
export function idleTasks(task: Task, dataset: Dataset): Finding[] {
  const gold = goldOf(dataset, task);
  const database = dataset.database.fork();
  if (grade({ database, gold, task, messages: [] }).value !== 1) return [];
  const writes = task.actions.filter(isWrite);
  const why = writes.length === 0
    ? "no gold action changes anything, and no output is required"
    : `its writes change nothing: ${writes.map(({ name }) => name).join(", ")}`;
  return [
    finding(task, {
      check: "idle",
      reason: "the do-nothing baseline earns the reward",
      evidence: why,
      exclude: true,
    }),
  ];
}
