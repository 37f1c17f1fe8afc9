/** Calls a tool by name and returns the text that the agent reads. */

import { AssertionError } from "node:assert";
import { type BrokenRow, findBrokenRow } from "./broken_row.ts";
import type { Database } from "./database.ts";
import type { Domain } from "./domain.ts";
import { InfrastructureError, messageOf, ToolError } from "./errors.ts";
import type { Tool } from "./tool.ts";
import type { ToolAction } from "./types.ts";

/**
 * Calls a tool on a database and returns its result. If the agent made a mistake, the result is `Error: …` or `Unknown
 * action …`. As in τ-bench, any exception counts as a mistake, because arguments of the wrong type can cause any
 * exception.
 * @throws {InfrastructureError} If the fault is provably not the agent's: a failed assertion or an
 * `InfrastructureError` in the tool, a result that is not a string, or a database that was invalid from the start.
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
    throwIfNotAgents(error, { tool, row: findBrokenRow(domain, database) });
    return `Error: ${messageOf(error)}`;
  }
}

/**
 * Returns a tool result after checking that it is a string, because a script's tool may return any value.
 * @throws {AssertionError} If the result is not a string.
 */
function textOf(answer: unknown): string {
  if (typeof answer === "string") return answer;
  throw new AssertionError({
    message: `the result has the type ${typeof answer}, not string`,
  });
}

/**
 * Throws if the agent cannot have caused the error.
 * @throws {InfrastructureError} If the tool or the database is at fault.
 */
function throwIfNotAgents(
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
    : `; row "${row.id}" of the table "${row.table}" does not match its schema`;
  throw new InfrastructureError(
    `The tool "${tool.name}" failed: ${error}${where}`,
    { kind: "bug", source: "environment", cause: error },
  );
}

/** Checks whether a result of {@linkcode callTool} reports an error. */
export function isErrorAnswer(answer: string): boolean {
  return answer.startsWith("Error: ") || answer.startsWith("Unknown action ");
}

/** Returns a domain's tools, keyed by name. */
function toolsOf(domain: Domain): ReadonlyMap<string, Tool> {
  const known = toolMaps.get(domain);
  if (known !== undefined) return known;
  const tools = new Map(domain.tools.map((tool) => [tool.name, tool]));
  toolMaps.set(domain, tools);
  return tools;
}

const toolMaps = new WeakMap<Domain, ReadonlyMap<string, Tool>>();
