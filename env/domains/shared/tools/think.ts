import { defineTool } from "../../../tool.ts";

/** Lets the agent write down a thought; has no effect. */
export const think = defineTool({
  name: "think",
  parameters: ["thought"],
  run: () => "",
});
