/** Tasks as an agent may know them that only listens: without the gold, and without what policy says of requests. */

import type { Goal } from "../../env/domains/shared/goal/goal.ts";
import type { Agent, Task } from "../../env/types.ts";

/** The agent on tasks without gold, and with goals that hold neither refusals nor what is to be told. */
export function withoutVerdicts(agent: Agent): Agent {
  return {
    ...agent,
    start: (options) =>
      agent.start({ ...options, task: unjudged(options.task as Task<Goal>) }),
  };
}

function unjudged({ intent: _, goal, ...task }: Task<Goal>): Task {
  if (goal === undefined) return { ...task };
  const requests = goal.requests.map((
    { refused: _, refusedBy: __, fallback: ___, outputs: ____, ...request },
  ) => request);
  return { ...task, actions: [], outputs: [], goal: { ...goal, requests } };
}
