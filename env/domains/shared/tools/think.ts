import { defineTool } from "../../../tool.ts";

/** Room for the agent to think; does nothing. */
export const think = defineTool({
  name: "think",
  parameters: ["thought"],
  run: () => "",
});
