import { calculate as evaluate } from "../../../python/calculator.ts";
import { defineTool } from "../../../tool.ts";

/** Evaluates an arithmetic expression and rounds the result to two decimals. */
export const calculate = defineTool({
  name: "calculate",
  parameters: ["expression"],
  run: (_database, { expression }) => evaluate(expression),
});
