/**
 * Tools: what an agent can do to a world. A tool has named parameters, and a handler over a database that
 * returns the text which the agent reads.
 */

import type { Database } from "./database.ts";
import { ToolError } from "./errors.ts";
import type { JsonObject, JsonValue } from "./python/python_value.ts";

/** Whether a tool changes the database: only `write` does. `generic` neither reads nor writes. */
export type ToolKind = "read" | "write" | "generic";

/** A tool, whatever its parameters. */
export interface Tool {
  readonly name: string;
  /** Names of the parameters in order. All are required, and their types are not checked. */
  readonly parameters: readonly string[];
  /** What it does to the database, where a benchmark says so. */
  readonly kind?: ToolKind;
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

/** Arguments by parameter. Where they do not bind, the words are Python's, since models read them in τ-bench. */
function bind<P extends string>(
  name: string,
  parameters: readonly P[],
  args: JsonObject,
): Arguments<P> {
  const bound: Partial<Record<P, JsonValue>> = {};
  let count = 0;
  for (const parameter of parameters) {
    const value = args.get(parameter);
    if (value === undefined) continue;
    bound[parameter] = value;
    count++;
  }
  if (count < parameters.length || count < args.size) {
    throw new ToolError(
      `${className(name)}.invoke() ${bindingError(parameters, args)}`,
    );
  }
  return bound as Arguments<P>;
}

function bindingError(parameters: readonly string[], args: JsonObject): string {
  if (args.has("data")) {
    return "got multiple values for keyword argument 'data'";
  }
  for (const key of args.keys()) {
    if (!parameters.includes(key)) {
      return `got an unexpected keyword argument '${key}'`;
    }
  }
  return missingArguments(parameters.filter((name) => !args.has(name)));
}

/** What Python says of arguments that are missing: `missing 2 required positional arguments: 'a' and 'b'`. */
export function missingArguments(names: readonly string[]): string {
  const plural = names.length === 1 ? "" : "s";
  return `missing ${names.length} required positional argument${plural}: ${
    listOf(names)
  }`;
}

/** `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`. */
function listOf(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  const last = quoted.pop() ?? "";
  if (quoted.length === 0) return last;
  return `${quoted.join(", ")}${quoted.length > 1 ? "," : ""} and ${last}`;
}

/** The class of a tool in τ-bench: `think` is `Think`, `get_user_details` is `GetUserDetails`. */
function className(name: string): string {
  return name.replace(
    /(?:^|_)(.)/g,
    (_, letter: string) => letter.toUpperCase(),
  );
}
