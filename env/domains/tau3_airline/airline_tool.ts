/** The class whose methods the airline's tools are. */

import type { Tool } from "../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../shared/toolkit/bundle_tool.ts";

/** Its name, which callers read where arguments do not bind. */
export const AIRLINE_TOOLS = "AirlineTools";

/** Makes a tool of the airline. */
export function airlineTool<const P extends string>(
  tool: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ ...tool, className: AIRLINE_TOOLS });
}
