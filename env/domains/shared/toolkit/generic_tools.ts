/** Tools that several classes of τ³ have, and that touch no database. */

import { calculate } from "../../../python/calculator.ts";
import type { Tool } from "../../../tool.ts";
import { defineBundleTool } from "./bundle_tool.ts";

/** Computes an expression, rounded to cents. */
export function calculateTool(className: string): Tool {
  return defineBundleTool({
    className,
    name: "calculate",
    kind: "generic",
    parameters: ["expression"],
    run: (_database, { expression }) =>
      calculate(expression, { refusal: "Invalid characters in expression" }),
  });
}

/** Says that the user was handed over; ends nothing. */
export function transferTool(className: string): Tool {
  return defineBundleTool({
    className,
    name: "transfer_to_human_agents",
    kind: "generic",
    parameters: ["summary"],
    run: () => "Transfer successful",
  });
}
