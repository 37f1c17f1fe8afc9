/** Tools that several of τ³-bench's domains share. They do not use the database. */

import { calculate } from "../../../python/calculator.ts";
import type { Tool } from "../../../tool.ts";
import { defineBundleTool } from "./bundle_tool.ts";

/** Creates the tool that evaluates an arithmetic expression and rounds the result to two decimals. */
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

/** Creates the tool that reports a transfer to a human. The tool does not end the conversation. */
export function transferTool(className: string): Tool {
  return defineBundleTool({
    className,
    name: "transfer_to_human_agents",
    kind: "generic",
    parameters: ["summary"],
    run: () => "Transfer successful",
  });
}
