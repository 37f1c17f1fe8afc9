/**
 * Tools: what an agent can do to a world. A tool has named parameters, and a handler over a database that
 * returns the text which the agent reads.
 *
 * @module
 */

import type { Database } from "./database.ts";
import { ToolError } from "./errors.ts";
import type { JsonObject, JsonValue } from "./python_value.ts";

/** A tool, whatever its parameters. */
export interface Tool {
  readonly name: string;
  /** Names of the parameters in order. All are required, and their types are not checked. */
  readonly parameters: readonly string[];
  /**
   * Binds the arguments, then does the work. Writes nothing where the arguments do not bind.
   * @throws {ToolError} What the agent did wrong, in the words that it reads after `Error: `.
   */
  call(database: Database, args: JsonObject): string;
}

/** The arguments of a call by parameter. */
export type Arguments<P extends string> = Readonly<Record<P, JsonValue>>;

/** What {@linkcode defineTool} makes a tool of. */
export interface ToolDefinition<P extends string> {
  readonly name: string;
  readonly parameters: readonly P[];
  readonly run: (database: Database, args: Arguments<P>) => string;
}

/** Makes a tool of its handler; the handler gets every parameter and nothing else. */
export function defineTool<const P extends string>(
  { name, parameters, run }: ToolDefinition<P>,
): Tool {
  return {
    name,
    parameters,
    call: (database, args) => run(database, bind(name, parameters, args)),
  };
}

/** Arguments by parameter; none missing, none unknown. */
function bind<P extends string>(
  name: string,
  parameters: readonly P[],
  args: JsonObject,
): Arguments<P> {
  const bound: Partial<Record<P, JsonValue>> = {};
  const missing: string[] = [];
  for (const parameter of parameters) {
    const value = args.get(parameter);
    if (value === undefined) missing.push(parameter);
    else bound[parameter] = value;
  }
  if (missing.length > 0) {
    throw new ToolError(`${name} is missing ${listOf(missing)}`);
  }
  if (args.size > parameters.length) {
    const known = new Set<string>(parameters);
    const unknown = [...args.keys()].filter((key) => !known.has(key));
    throw new ToolError(`${name} does not take ${listOf(unknown)}`);
  }
  return bound as Arguments<P>;
}

/** `argument "a"`, `arguments "a", "b"`. */
function listOf(names: readonly string[]): string {
  const quoted = names.map((name) => JSON.stringify(name)).join(", ");
  return `${names.length === 1 ? "argument" : "arguments"} ${quoted}`;
}
