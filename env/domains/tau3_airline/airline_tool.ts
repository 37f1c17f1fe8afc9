/** The factory for the tools of τ³-bench's airline domain, which are methods of one class in the original. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** The name of the original's class. It appears in the error message for invalid arguments. */
export const AIRLINE_TOOLS = "AirlineTools";

/** Creates a tool of τ³-bench's airline domain. */
export function airlineTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: AIRLINE_TOOLS });
}
