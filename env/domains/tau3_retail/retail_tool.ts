/** The class whose methods the store's tools are. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** Its name, which callers read where arguments do not bind. */
export const RETAIL_TOOLS = "RetailTools";

/** Makes a tool of the store. */
export function retailTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: RETAIL_TOOLS });
}
