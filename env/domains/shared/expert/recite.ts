/** The expert where a domain has no desk for a task: plays the gold, and tells what must be told. */

import type { Script } from "../../../agents/desk.ts";
import type { Shift } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import { benchGoal } from "../goal/bench_goal.ts";
import { answerWords, MORE } from "./words.ts";

/** What is done, then what is told, then the gold transfer to a person, where there is one. */
export function* recite({ desk, task, database }: Shift): Script {
  const { goal } = benchGoal(task, { database });
  const { outputs } = task;
  for (const action of task.actions) {
    if (!isTransfer(action)) yield* desk.call(action);
  }
  const [request] = goal.requests;
  if (request !== undefined && outputs.length > 0) {
    yield* desk.say(answerWords({ request, outputs }));
  }
  const transfer = task.actions.find(isTransfer);
  if (transfer !== undefined) yield* desk.call(transfer);
  else yield* desk.say(MORE);
}

/** Whether a call hands the user over to a person. */
export function isTransfer({ name }: ToolAction): boolean {
  return name === "transfer_to_human_agents";
}
