import { defineTool } from "../../../tool.ts";

/** Transfers the user to a human. The dataset declares that this ends the conversation. */
export const transferToHumanAgents = defineTool({
  name: "transfer_to_human_agents",
  parameters: ["summary"],
  run: () => "Transfer successful",
});
