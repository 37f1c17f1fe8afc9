/** Evaluates expected actions, which either side may take, in any order. */

import { isEqual } from "../../../python/python_object.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { callsIn, type Tau3Call, type Tau3Message } from "../tau3_message.ts";
import { type ActionCheck, NO_PARTS, type Tau3Reward } from "../tau3_reward.ts";
import type { ExpectedAction, Tau3Task } from "../tau3_task.ts";
import { toolNamed, type WorldSource } from "../tau3_world.ts";

/** Searches for each expected action among the calls in a conversation. One call may match several actions. */
export function evaluateActions(
  { criteria }: Tau3Task,
  { source, messages }: {
    readonly source: Pick<WorldSource, "domain" | "part">;
    readonly messages: readonly Tau3Message[];
  },
): Tau3Reward {
  const expected = criteria?.actions ?? [];
  if (expected.length === 0) {
    return {
      ...NO_PARTS,
      value: 1,
      breakdown: [["ACTION", 1]],
      info: { note: "No actions to evaluate" },
    };
  }
  const calls = callsIn(messages);
  const actions = expected.map((action): ActionCheck => ({
    action,
    match: calls.some((call) => isAction(call, action)),
    toolKind: toolNamed(source, action)?.kind ?? null,
  }));
  const value = actions.every(({ match }) => match) ? 1 : 0;
  return { ...NO_PARTS, value, actions, breakdown: [["ACTION", value]] };
}

/**
 * Checks whether a call matches an expected action. Without `compareArgs`, only the arguments that the call contains
 * are compared.
 */
function isAction(call: Tau3Call, action: ExpectedAction): boolean {
  if (call.name !== action.name) return false;
  const compared = new Set(action.compareArgs ?? call.arguments.keys());
  return isEqual(
    only(compared, call.arguments),
    only(compared, action.arguments),
  );
}

function only(keys: ReadonlySet<string>, args: JsonObject): JsonObject {
  return new Map([...args].filter(([key]) => keys.has(key)));
}
