/** Tools as methods of a Python class, as τ³ has them: their arguments bind as Python binds keywords. */

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

/** A parameter of a tool; required where it has no default. */
export interface BundleParameter<P extends string = string> {
  readonly name: P;
  readonly default?: JsonValue;
}

/** What {@linkcode defineBundleTool} makes a tool of. */
export interface BundleToolDefinition<P extends string> {
  /** The Python class whose method it is, which is named where arguments do not bind: `AirlineTools`. */
  readonly className: string;
  readonly name: string;
  readonly kind: ToolKind;
  /** In order. A name alone is a parameter without a default. */
  readonly parameters: readonly (P | BundleParameter<P>)[];
  /** The arguments are the caller's: what is stored of them is copied. */
  readonly run: (database: Database, args: Arguments<P>) => ToolResult;
}

/** Makes a tool of its handler; the handler gets every parameter and nothing else. */
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

/** What binds the arguments of a method. @throws {ToolError} Where they do not, in Python's words. */
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
      // Null is an argument too.
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
