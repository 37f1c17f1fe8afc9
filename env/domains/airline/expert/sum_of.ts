/** Computes sums with the `calculate` tool, and formats them as the expert states them to users. */

import type { Desk, Script } from "../../../agents/desk.ts";
import { call } from "../../shared/call.ts";

/**
 * Returns the sum of dollar amounts as a string, computed with the `calculate` tool unless there is only one amount.
 */
export function* sumOf(
  amounts: readonly number[],
  desk: Desk,
): Script<string> {
  return amounts.length === 1
    ? String(amounts[0])
    : yield* calculated(amounts.join(" + "), desk);
}

/** Evaluates an expression with the `calculate` tool, and returns the result without a trailing `.0`. */
export function* calculated(expression: string, desk: Desk): Script<string> {
  const result = yield* desk.call(call("calculate", { expression }));
  return result.replace(/\.0$/, "");
}
