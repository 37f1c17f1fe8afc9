/**
 * Implements the methods of markup: string methods that return markup and escape the arguments that become part of it.
 */

import type { Method } from "./arguments.ts";
import type { Machine } from "./machine.ts";
import { strFormat } from "./str_format.ts";
import { STRING_METHODS } from "./string_methods.ts";
import { str } from "./marked_text.ts";
import { listOf, Markup, Tuple, type Value } from "./values.ts";

/** The index of the argument that must be escaped because it becomes part of the result, keyed by method name. */
const ESCAPED_ARGUMENT: ReadonlyMap<string, number> = new Map([
  ["replace", 1],
  ["ljust", 1],
  ["rjust", 1],
  ["center", 1],
]);

/** Returns the markup method with a given name, or `undefined` if there is none. */
export function markupMethod(name: string): Method<Markup> | undefined {
  const own = STRING_METHODS.get(name);
  if (own === undefined) return undefined;
  if (name === "format") {
    return {
      name,
      call: (self, args, keywords, machine) =>
        new Markup(
          strFormat(self.text, { args, keywords, machine, escapes: true }),
        ),
    };
  }
  return {
    name,
    call: (self, args, keywords, machine) => {
      const given = args.map((arg, i) =>
        name === "join" && i === 0
          ? listOf(arg, machine).map((item) => escaped(item, machine))
          : ESCAPED_ARGUMENT.get(name) === i
          ? escaped(arg, machine)
          : arg
      );
      return asMarkup(own.call(self.text, given, keywords, machine));
    },
  };
}

function escaped(value: Value, machine: Machine): string {
  return Markup.escape(value, (value) => str(value, machine)).text;
}

function asMarkup(value: Value): Value {
  if (typeof value === "string") return new Markup(value);
  if (value instanceof Tuple) return Tuple.make(value.map(asMarkup));
  return Array.isArray(value) ? value.map(asMarkup) : value;
}
