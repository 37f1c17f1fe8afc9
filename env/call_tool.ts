/** Calling a tool by name, and what the agent reads of it. */

import { AssertionError } from "node:assert";
import { type BrokenRow, findBrokenRow } from "./broken_row.ts";
import type { Database } from "./database.ts";
import type { Domain } from "./domain.ts";
import { InfrastructureError, messageOf, ToolError } from "./errors.ts";
import type { Tool } from "./tool.ts";
import type { ToolAction } from "./types.ts";

/**
 * Calls a tool on a database. What the agent did wrong is in the text: `Error: …`, `Unknown action …`; as in τ-bench,
 * that is any exception, since arguments of a wrong type cause all kinds of them.
 * @throws {InfrastructureError} If the fault is provably not the agent's: a failed assertion, an answer that is no text,
 * a database that was broken from the start.
 */
export function callTool(
  domain: Domain,
  database: Database,
  action: ToolAction,
): string {
  const tool = toolsOf(domain).get(action.name);
  if (tool === undefined) return `Unknown action ${action.name}`;
  try {
    return textOf(tool.call(database, action.arguments));
  } catch (error) {
    if (error instanceof ToolError) return `Error: ${error.message}`;
    refuseOwnFault(error, { tool, row: findBrokenRow(domain, database) });
    return `Error: ${messageOf(error)}`;
  }
}

/** Types do not hold for the tools of scripts. */
function textOf(answer: unknown): string {
  if (typeof answer === "string") return answer;
  throw new AssertionError({
    message: `it answered with a value of type ${typeof answer}, not a text`,
  });
}

/** @throws {InfrastructureError} If the error cannot be the agent's. */
function refuseOwnFault(
  error: unknown,
  { tool, row }: { tool: Tool; row: BrokenRow | undefined },
): void {
  const isOurs = error instanceof AssertionError ||
    error instanceof InfrastructureError;
  if (!isOurs && row === undefined) return;
  const where = row === undefined
    ? ""
    : row.id === undefined
    ? `; the database has no table "${row.table}"`
    : `; row "${row.id}" of the table "${row.table}" is not what its schema says`;
  throw new InfrastructureError(
    `The tool "${tool.name}" broke: ${error}${where}`,
    { kind: "bug", source: "environment", cause: error },
  );
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
