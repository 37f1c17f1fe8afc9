/** Creates the tools of telecom's agent. In the original, they are methods of one class. */

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
