/** Calling a tool by name, and what the agent reads of it. */

import type { Database } from "./database.ts";
import type { Domain } from "./domain.ts";
import { InfrastructureError, ToolError } from "./errors.ts";
import type { Tool } from "./tool.ts";
import type { ToolAction } from "./types.ts";

/**
 * Calls a tool on a database. What the agent did wrong is in the text: `Error: …`, `Unknown action …`.
 * @throws {InfrastructureError} If the tool itself is broken.
 */
export function callTool(
  domain: Domain,
  database: Database,
  action: ToolAction,
): string {
  const tool = toolsOf(domain).get(action.name);
  if (tool === undefined) return `Unknown action ${action.name}`;
  try {
    return tool.call(database, action.arguments);
  } catch (error) {
    if (error instanceof ToolError) return `Error: ${error.message}`;
    throw new InfrastructureError(`The tool "${tool.name}" broke: ${error}`, {
      kind: "bug",
      source: "environment",
      cause: error,
    });
  }
}

/** Whether the answer of {@linkcode callTool} says that the call was wrong. */
export function isErrorAnswer(answer: string): boolean {
  return answer.startsWith("Error: ") || answer.startsWith("Unknown action ");
}

/** A domain's tools by name. */
function toolsOf(domain: Domain): ReadonlyMap<string, Tool> {
  const known = toolMaps.get(domain);
  if (known !== undefined) return known;
  const tools = new Map(domain.tools.map((tool) => [tool.name, tool]));
  toolMaps.set(domain, tools);
  return tools;
}

const toolMaps = new WeakMap<Domain, ReadonlyMap<string, Tool>>();
