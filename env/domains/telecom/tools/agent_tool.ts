/** The factory for the agent's tools, which are methods of one class in the original. */

import type { Tool } from "../../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../../shared/toolkit/bundle_tool.ts";

/** Creates a tool for telecom's agent. */
export function agentTool<const P extends string>(
  definition: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ className: "TelecomTools", ...definition });
}
