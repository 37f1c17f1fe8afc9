/** Hides what agents must not know: the gold actions of a task, and the policy's verdicts on the user's requests. */

import type { Goal } from "../../env/domains/shared/goal/goal.ts";
import type { Agent, Task } from "../../env/types.ts";

/** Wraps an agent so that it sees tasks without gold actions, and goals without refusals or required outputs. */
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
