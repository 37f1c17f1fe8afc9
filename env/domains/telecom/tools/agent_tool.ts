/** What all tools of the agent have in common: they are methods of one class of the original. */

import type { Tool } from "../../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../../shared/toolkit/bundle_tool.ts";

/** Makes a tool of the agent. */
export function agentTool<const P extends string>(
  definition: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ className: "TelecomTools", ...definition });
}
