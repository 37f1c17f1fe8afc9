/** Defines the tools of τ³-bench's airline. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** The name of the original's tool class, which appears in Python's errors about arguments. */
export const AIRLINE_TOOLS = "AirlineTools";

/** Defines a tool of the airline. */
export function airlineTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: AIRLINE_TOOLS });
}
