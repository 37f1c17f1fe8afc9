/** Implements the global functions of templates, such as `range()`. */

import { bind, signature } from "./arguments.ts";
import { canonicalKey } from "./compare.ts";
import { JinjaError, typeError } from "./template_error.ts";
import { Cycler, Joiner } from "./loop_variable.ts";
import type { Machine } from "./machine.ts";
import { strftime } from "./strftime.ts";
import { str } from "./marked_text.ts";
import {
  Builtin,
  type Dict,
  indexOf,
  type Keywords,
  type List,
  listOf,
  Namespace,
  Range,
  type Value,
} from "./values.ts";

/** Maximum length of a `range()`, as in Jinja's sandbox. */
const MAX_RANGE = 100_000;

const RAISE = signature("raise_exception", "message");
const STRFTIME = signature("strftime_now", "format");
const JOINER = signature("joiner", "sep?");

/** The global functions, keyed by name. */
export const GLOBALS: ReadonlyMap<string, Value> = new Map(
  [
    new Builtin("range", (_, args) => range(args)),
    new Builtin(
      "dict",
      (machine, args, keywords) => dict(machine, args, keywords),
    ),
    new Builtin(
      "namespace",
      (machine, args, keywords) => new Namespace(dict(machine, args, keywords)),
    ),
    new Builtin("cycler", (_, args) => new Cycler(args)),
    new Builtin("joiner", (_, args, keywords) => {
      const [separator = ", "] = bind(JOINER, args, keywords);
      return new Joiner(separator);
    }),
    new Builtin("lipsum", () => {
      throw typeError(
        "lipsum() is not supported, since it returns random text",
      );
    }),
    new Builtin("raise_exception", (machine, args, keywords) => {
      const [message = null] = bind(RAISE, args, keywords);
      throw new JinjaError("raised", str(message, machine));
    }),
    new Builtin("strftime_now", (machine, args, keywords) => {
      const [format = null] = bind(STRFTIME, args, keywords);
      if (typeof format !== "string") {
        throw typeError("strftime() argument 1 must be str");
      }
      return strftime(machine.now, format);
    }),
  ].map((builtin) => [builtin.name, builtin]),
);

function range(args: List): Range {
  if (args.length < 1 || args.length > 3) {
    throw typeError(`range expected 1 to 3 arguments, got ${args.length}`);
  }
  const numbers = args.map((arg) => indexOf(arg, "range() arguments"));
  const [start, stop, step = 1] = numbers.length === 1
    ? [0, numbers[0]!]
    : numbers as [number, number, number];
  if (step === 0) throw typeError("range() arg 3 must not be zero");
  const made = new Range(start, stop, step);
  if (made.length() > MAX_RANGE) {
    throw new JinjaError(
      "limit",
      `Range too big. The sandbox blocks ranges larger than MAX_RANGE (${MAX_RANGE}).`,
    );
  }
  return made;
}

/** Implements Python's `dict(...)`, which accepts a dict or a sequence of pairs, and keyword arguments. */
function dict(machine: Machine, args: List, keywords: Keywords): Dict {
  const [given] = args;
  if (args.length > 1) {
    throw typeError(`dict expected at most 1 argument, got ${args.length}`);
  }
  const made: Dict = new Map();
  if (given instanceof Map) {
    machine.spend(given.size);
    for (const [key, value] of given) made.set(key, value);
  } else if (given !== undefined) {
    for (const pair of listOf(given, machine)) {
      const [key, value, ...more] = listOf(pair, machine);
      if (key === undefined || value === undefined || more.length > 0) {
        throw typeError("dictionary update sequence element is not a pair");
      }
      made.set(canonicalKey(made, key, machine), value);
    }
  }
  for (const [key, value] of keywords) made.set(key, value);
  return made;
}
