/** Creates actions from plain JavaScript values, for scripts. */

import { fromPlain, type JsonObject } from "./python/python_value.ts";
import type { Action } from "./types.ts";

/**
 * Creates an action that calls a tool.
 * @param args The arguments as plain data. Whole numbers become Python integers; other numbers become floats.
 * @param options.id The id of the call, which the tool result refers to. Default: `call`, which suffices if calls are
 * made one at a time.
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
  // `fromPlain` turns a record into an object.
  const object = fromPlain(args) as JsonObject;
  return { type: "tool", call: { id, name, arguments: object } };
}
