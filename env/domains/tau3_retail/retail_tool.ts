/** Creates the tools of τ³-bench's retail domain. In the original, they are methods of one class. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** The name of the class in the original. It appears in error messages for invalid arguments. */
export const RETAIL_TOOLS = "RetailTools";

/** Creates a tool of τ³-bench's retail domain. */
export function retailTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: RETAIL_TOOLS });
}
