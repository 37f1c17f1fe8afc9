/**
 * Defines tools, which agents use to read and change a world. A tool has named parameters, and a handler that operates
 * on a database and returns the text that the agent reads.
 */

import type { Database } from "./database.ts";
import { ToolError } from "./errors.ts";
import type { JsonObject, JsonValue } from "./python/python_value.ts";

/** The effect of a tool on the database: only `write` changes it; `generic` neither reads nor writes it. */
export type ToolKind = "read" | "write" | "generic";

/** A tool that an agent or a user can call. */
export interface Tool {
  readonly name: string;
  /** The names of the parameters, in order. All are required; their types are not checked. */
  readonly parameters: readonly string[];
  /** The tool's effect on the database, if the benchmark declares it. */
  readonly kind?: ToolKind;
  /**
   * Binds the arguments to the parameters, runs the tool and returns its result. If the arguments do not match the
   * parameters, nothing is written.
   * @throws {ToolError} If the agent made a mistake. The agent reads the message after `Error: `.
   */
  call(database: Database, args: JsonObject): string;
}

/** The arguments of a call, keyed by parameter. */
export type Arguments<P extends string> = Readonly<Record<P, JsonValue>>;

/** The argument of {@linkcode defineTool}. */
export interface ToolDefinition<P extends string> {
  readonly name: string;
  readonly parameters: readonly P[];
  readonly run: (database: Database, args: Arguments<P>) => string;
}

/** Creates a tool from its handler, which receives every parameter and nothing else. */
export function defineTool<const P extends string>(
  { name, parameters, run }: ToolDefinition<P>,
): Tool {
  return {
    name,
    parameters,
    call: (database, args) => run(database, bind(name, parameters, args)),
  };
}

/**
 * Binds arguments to parameters. The error messages are Python's, as in τ-bench, because models read them.
 * @throws {ToolError} If an argument is missing or does not match any parameter.
 */
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

/** Returns Python's message for missing arguments: `missing 2 required positional arguments: 'a' and 'b'`. */
export function missingArguments(names: readonly string[]): string {
  const plural = names.length === 1 ? "" : "s";
  return `missing ${names.length} required positional argument${plural}: ${
    listOf(names)
  }`;
}

/** Lists names as Python does: `'a'`, `'a' and 'b'`, `'a', 'b', and 'c'`. */
function listOf(names: readonly string[]): string {
  const quoted = names.map((name) => `'${name}'`);
  const last = quoted.pop() ?? "";
  if (quoted.length === 0) return last;
  return `${quoted.join(", ")}${quoted.length > 1 ? "," : ""} and ${last}`;
}

/** Returns the name of a tool's class in τ-bench: `Think` for `think`, `GetUserDetails` for `get_user_details`. */
function className(name: string): string {
  return name.replace(
    /(?:^|_)(.)/g,
    (_, letter: string) => letter.toUpperCase(),
  );
}
