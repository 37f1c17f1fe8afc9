/**
 * Runs tool calls as τ³-bench's `get_response` does, in a world in which the agent and the user each have their own
 * tools and database.
 */

import { AssertionError } from "node:assert";
import {
  type Databases,
  type Domain,
  partOf,
  type Side,
} from "../../../domain.ts";
import { InfrastructureError, messageOf, ToolError } from "../../../errors.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { Tool } from "../../../tool.ts";

/** A tool call by the agent or the user. */
export interface BundleCall {
  readonly requestor: Side;
  readonly name: string;
  readonly arguments: JsonObject;
}

/** The result of a tool call. */
export interface BundleAnswer {
  readonly content: string;
  readonly error: boolean;
}

/** Options for {@linkcode callBundle}. */
export interface BundleCallOptions {
  /** Whether the agent acts alone and also has the user's tools. Default: false. */
  readonly solo?: boolean;
}

/**
 * Runs a call and then the domain's `sync`. An error in either is returned as the result `Error: …`. Changes made
 * before the error are not rolled back.
 * @throws {InfrastructureError} If the error cannot be the caller's fault.
 * @throws {MissingPartError} If the domain has no `bundle` part.
 */
export function callBundle(
  domain: Domain,
  databases: Databases,
  call: BundleCall,
  options: BundleCallOptions = {},
): BundleAnswer {
  const { sync } = partOf(domain, "bundle");
  try {
    const content = runBundleTool(domain, databases, call, options);
    sync?.(databases);
    return { content, error: false };
  } catch (error) {
    throwIfNotCallers(error, call.name);
    return { content: `Error: ${messageOf(error)}`, error: true };
  }
}

/**
 * Runs a call without `sync`, as τ³-bench's `make_tool_call` does.
 * @throws {ToolError} If the call fails.
 * @throws {MissingPartError} If the domain has no `bundle` part.
 */
export function runBundleTool(
  domain: Domain,
  databases: Databases,
  { requestor, name, arguments: args }: BundleCall,
  { solo = false }: BundleCallOptions = {},
): string {
  rejectReservedNames(args);
  if (requestor === "user" && solo) {
    throw new ToolError("User tool calls are not allowed in solo mode");
  }
  const tools = toolsOf(domain);
  const side = solo && tools.user?.has(name) ? "user" : requestor;
  const [own, database] = [tools[side], databases[side]];
  if (own === undefined || database === undefined) {
    throw new ToolError("User tools not available");
  }
  const tool = own.get(name);
  if (tool === undefined) throw new ToolError(`Tool '${name}' not found.`);
  return tool.call(database, args);
}

/**
 * Rejects arguments that have the same name as a parameter of the original's `make_tool_call` method.
 * @throws {ToolError} If there is such an argument, with Python's message.
 */
function rejectReservedNames(args: JsonObject): void {
  if (args.has("requestor")) {
    throw new ToolError(
      "tau2.environment.environment.Environment.make_tool_call() got multiple values for keyword argument 'requestor'",
    );
  }
  for (const key of args.keys()) {
    if (key !== "self" && key !== "tool_name") continue;
    throw new ToolError(
      `Environment.make_tool_call() got multiple values for argument '${key}'`,
    );
  }
}

/**
 * Reports an error as a bug unless the caller may have caused it.
 * @throws {InfrastructureError} If the error cannot be the caller's fault.
 */
function throwIfNotCallers(error: unknown, tool: string): void {
  const isOurs = error instanceof AssertionError ||
    error instanceof InfrastructureError;
  if (!isOurs) return;
  throw new InfrastructureError(`The tool "${tool}" failed: ${error}`, {
    kind: "bug",
    source: "environment",
    cause: error,
  });
}

type Toolkit = ReadonlyMap<string, Tool>;

/** Returns the tools of each side, keyed by name. */
function toolsOf(domain: Domain): { agent: Toolkit; user?: Toolkit } {
  const known = toolkits.get(domain);
  if (known !== undefined) return known;
  const { userTools } = partOf(domain, "bundle");
  const agent = toolkitOf(domain.tools);
  const tools = userTools === undefined
    ? { agent }
    : { agent, user: toolkitOf(userTools) };
  toolkits.set(domain, tools);
  return tools;
}

const toolkits = new WeakMap<Domain, { agent: Toolkit; user?: Toolkit }>();

function toolkitOf(tools: readonly Tool[]): Toolkit {
  return new Map(tools.map((tool) => [tool.name, tool]));
}
