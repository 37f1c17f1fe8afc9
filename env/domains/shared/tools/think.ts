import { defineTool } from "../../../tool.ts";

/** Lets the agent take a note; has no effect. */
export const think = defineTool({
  name: "think",
  parameters: ["thought"],
  run: () => "",
});
