import { defineTool } from "../../../tool.ts";

/** Hands the user over; the dataset says that this ends the conversation. */
export const transferToHumanAgents = defineTool({
  name: "transfer_to_human_agents",
  parameters: ["summary"],
  run: () => "Transfer successful",
});
