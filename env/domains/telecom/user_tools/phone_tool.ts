/** Creates the tools of telecom's user. In the original, they are methods of one class. */

import type { Database } from "../../../database.ts";
import type { Tool } from "../../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../../shared/toolkit/bundle_tool.ts";
import { withStatusBar } from "../phone/status_bar.ts";

/** Creates a tool of the user's phone. */
export function phoneTool<const P extends string>(
  definition: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ className: "TelecomUserTools", ...definition });
}

/** Creates a tool without parameters that shows part of the phone's state. */
export function check(
  name: string,
  show: (database: Database) => string,
): Tool {
  return phoneTool({ name, kind: "read", parameters: [], run: show });
}

/** Creates a tool without parameters that performs an action and then shows the status bar. */
export function act(name: string, run: (database: Database) => string): Tool {
  return phoneTool({
    name,
    kind: "write",
    parameters: [],
    run: (database) => withStatusBar(database, run(database)),
  });
}

/** Formats a switch state as `ON` or `OFF`. */
export function onOff(isOn: boolean): string {
  return isOn ? "ON" : "OFF";
}
