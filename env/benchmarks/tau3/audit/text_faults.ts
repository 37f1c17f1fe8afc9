/** Detects faults in a task's texts: tools that do not exist, and amounts that a solo agent's ticket omits. */

import { isPythonNumber, toDouble } from "../../../python/python_number.ts";
import type { TaskFault } from "../../../types.ts";
import { numbersIn } from "../evaluators/nl_claims.ts";
import type { Tau3Task } from "../tau3_task.ts";
import { toolNamed, type WorldSource } from "../tau3_world.ts";
import type { FaultContext } from "./task_faults.ts";

/** Returns the faults in a task's texts, and the issues that its authors have noted. */
export function textFaults({ source, task }: FaultContext): TaskFault[] {
  return [
    ...missingTools(source, task),
    ...untoldAmounts(source, task),
    ...(task.issues ?? []).map((title): TaskFault => ({
      check: "noted",
      reason: "the benchmark's authors have documented a fault",
      evidence: title,
      exclude: false,
    })),
  ];
}

function textsOf({ scenario, ticket }: Tau3Task): string[] {
  const { instructions } = scenario;
  const told = typeof instructions === "string"
    ? [instructions]
    : Object.values(instructions);
  return [...told, ticket].filter((text) => text !== null);
}

/** Finds the names of nonexistent tools in the expected actions and among the backquoted words in the task's texts. */
function missingTools(source: WorldSource, task: Tau3Task): TaskFault[] {
  const expected = (task.criteria?.actions ?? []).filter((action) =>
    toolNamed(source, action) === undefined
  ).map(({ name }) => name);
  const told = textsOf(task).flatMap((text) =>
    [...text.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name]) => name ?? "")
  ).filter((name) =>
    toolNamed(source, { name, requestor: "user" }) === undefined
  );
  return [...new Set([...expected, ...told])].map((name): TaskFault => ({
    check: "missing_tool",
    reason: `there is no tool ${name}`,
    evidence: expected.includes(name)
      ? "an expected action calls it"
      : nearestTool(source, name),
    exclude: expected.includes(name),
  }));
}

function nearestTool({ domain, part }: WorldSource, name: string): string {
  const end = name.slice(name.indexOf("_"));
  const near = [...domain.tools, ...part.userTools ?? []].find((tool) =>
    tool.name.endsWith(end)
  );
  return near === undefined
    ? "the user is told to use it"
    : `the user is told to use it; ${near.name} may be meant`;
}

/** Finds numbers in a solo agent's expected writes that are not in its ticket. */
function untoldAmounts(source: WorldSource, task: Tau3Task): TaskFault[] {
  const { ticket } = task;
  if (ticket === null) return [];
  const told = numbersIn(ticket).map(({ value }) => value);
  return (task.criteria?.actions ?? []).flatMap((action) => {
    const isAgents = action.requestor === "assistant" &&
      toolNamed(source, action)?.kind === "write";
    if (!isAgents) return [];
    return [...action.arguments].flatMap(([key, value]) =>
      isPythonNumber(value) && !told.includes(toDouble(value))
        ? [{
          check: "unknowable" as const,
          reason:
            `the ticket does not state the argument ${key} of the expected ${action.name}`,
          evidence: `${toDouble(value)} is not in the ticket: ${ticket}`,
          exclude: false,
        }]
        : []
    );
  });
}
