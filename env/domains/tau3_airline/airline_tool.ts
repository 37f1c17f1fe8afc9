/** Creates the tools of τ³-bench's airline domain. In the original, they are methods of one class. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** The name of the class in the original. It appears in error messages for invalid arguments. */
export const AIRLINE_TOOLS = "AirlineTools";

/** Creates a tool of τ³-bench's airline domain. */
export function airlineTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: AIRLINE_TOOLS });
}
