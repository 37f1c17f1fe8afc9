/** The factory for the tools of τ³-bench's retail domain, which are methods of one class in the original. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** The name of the original's class. It appears in the error message for invalid arguments. */
export const RETAIL_TOOLS = "RetailTools";

/** Creates a tool of τ³-bench's retail domain. */
export function retailTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: RETAIL_TOOLS });
}
