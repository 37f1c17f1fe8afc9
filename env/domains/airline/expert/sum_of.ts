/** Sums by the calculator, as the airline's users are told them. */

import type { Desk, Script } from "../../../agents/desk.ts";
import { call } from "../../shared/call.ts";

/** A sum of dollars; a single amount as it is. */
export function* sumOf(
  amounts: readonly number[],
  desk: Desk,
): Script<string> {
  return amounts.length === 1
    ? String(amounts[0])
    : yield* workedOut(amounts.join(" + "), desk);
}

/** What an expression comes to, without the calculator's `.0`. */
export function* workedOut(expression: string, desk: Desk): Script<string> {
  const result = yield* desk.call(call("calculate", { expression }));
  return result.replace(/\.0$/, "");
}
