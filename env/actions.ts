/** Actions as scripts write them. */

import { fromPlain, type JsonObject } from "./python/python_value.ts";
import type { Action } from "./types.ts";

/**
 * A call of a tool, its arguments plain data.
 * @param args Numbers that are whole are Python's integers, others its floats.
 * @param options.id How the answer refers to the call. Default: `call`, which will do where one is made at a time.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { callAction } from "./actions.ts";
 *
 * const action = callAction("get_order_details", { order_id: "#W1" });
 * equal(action.call.arguments.get("order_id"), "#W1");
 * ```
 */
export function callAction(
  name: string,
  args: Readonly<Record<string, unknown>> = {},
  { id = "call" }: { readonly id?: string } = {},
): Extract<Action, { type: "tool" }> {
  // Of a record `fromPlain` makes an object.
  const object = fromPlain(args) as JsonObject;
  return { type: "tool", call: { id, name, arguments: object } };
}
