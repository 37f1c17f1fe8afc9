import { defineTool } from "../../../tool.ts";

/** Lets the agent write down a thought. The call has no effect. */
export const think = defineTool({
  name: "think",
  parameters: ["thought"],
  run: () => "",
});
