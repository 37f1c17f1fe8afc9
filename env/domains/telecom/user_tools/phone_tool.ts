/** What all tools of the user have in common: they are methods of one class of the original. */

import type { Database } from "../../../database.ts";
import type { Tool } from "../../../tool.ts";
import {
  type BundleToolDefinition,
  defineBundleTool,
} from "../../shared/toolkit/bundle_tool.ts";
import { withStatusBar } from "../phone/status_bar.ts";

/** Makes a tool of the user. */
export function phoneTool<const P extends string>(
  definition: Omit<BundleToolDefinition<P>, "className">,
): Tool {
  return defineBundleTool({ className: "TelecomUserTools", ...definition });
}

/** Makes a tool without parameters that shows something of the phone. */
export function check(
  name: string,
  show: (database: Database) => string,
): Tool {
  return phoneTool({ name, kind: "read", parameters: [], run: show });
}

/** Makes a tool without parameters that does something, and shows the status bar after it. */
export function act(name: string, run: (database: Database) => string): Tool {
  return phoneTool({
    name,
    kind: "write",
    parameters: [],
    run: (database) => withStatusBar(database, run(database)),
  });
}

/** `ON` or `OFF`. */
export function onOff(isOn: boolean): string {
  return isOn ? "ON" : "OFF";
}
