/**
 * Creates τ³-bench's tools from their definitions. In the original, the tools are methods of a Python class that take
 * keyword arguments.
 */

import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import {
  type Arguments,
  missingArguments,
  type Tool,
  type ToolKind,
} from "../../../tool.ts";
import { resultText, type ToolResult } from "./result_text.ts";

/** A parameter of a tool. It is required if it has no default. */
export interface BundleParameter<P extends string = string> {
  readonly name: P;
  readonly default?: JsonValue;
}

/** The definition of a tool for {@linkcode defineBundleTool}. */
export interface BundleToolDefinition<P extends string> {
  /** The name of the original's Python class, which appears in errors about arguments: `AirlineTools`. */
  readonly className: string;
  readonly name: string;
  readonly kind: ToolKind;
  /** The parameters in order. A string is a parameter without a default. */
  readonly parameters: readonly (P | BundleParameter<P>)[];
  /** Runs the tool. The arguments belong to the caller, so a handler copies the parts that it stores. */
  readonly run: (database: Database, args: Arguments<P>) => ToolResult;
}

/** Defines a tool. Its handler gets a value for every parameter and no other arguments. */
export function defineBundleTool<const P extends string>(
  { className, name, kind, parameters, run }: BundleToolDefinition<P>,
): Tool {
  const all = parameters.map((parameter): BundleParameter<P> =>
    typeof parameter === "string" ? { name: parameter } : parameter
  );
  const bind = binder(`${className}.${name}()`, all);
  return {
    name,
    kind,
    parameters: all.map(({ name }) => name),
    call: (database, args) => resultText(run(database, bind(args))),
  };
}

/** Returns a function that binds a method's arguments, and throws a `ToolError` with Python's message on failure. */
function binder<P extends string>(
  method: string,
  parameters: readonly BundleParameter<P>[],
): (args: JsonObject) => Arguments<P> {
  const names: ReadonlySet<string> = new Set(
    parameters.map(({ name }) => name),
  );
  return (args) => {
    for (const key of args.keys()) {
      if (names.has(key)) continue;
      throw new ToolError(
        `${method} got an unexpected keyword argument '${key}'`,
      );
    }
    const bound: Partial<Record<P, JsonValue>> = {};
    const missing: string[] = [];
    for (const { name, default: fallback } of parameters) {
      // `null` is a value, not a missing argument.
      const value = args.has(name) ? args.get(name) : fallback;
      if (value === undefined) missing.push(name);
      else bound[name] = value;
    }
    if (missing.length > 0) {
      throw new ToolError(`${method} ${missingArguments(missing)}`);
    }
    return bound as Arguments<P>;
  };
}
