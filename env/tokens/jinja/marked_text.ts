/** Implements `str()` and `repr()` for template values. */

import { numberRepr } from "../../python/python_number.ts";
import { stringRepr } from "../../python/python_repr.ts";
import { isMarked, restoreMarks } from "../guard.ts";
import { limitError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import {
  DictView,
  Markup,
  Namespace,
  PyObject,
  Tuple,
  Undefined,
  type Value,
} from "./values.ts";

/** Maximum nesting depth of lists and dicts to print, close to Python's limit. */
const MAX_DEPTH = 900;

/** Implements Python's `str(value)`. */
export function str(value: Value, machine: Machine): string {
  if (typeof value === "string") return value;
  if (value instanceof Markup) return value.text;
  return value instanceof Undefined ? "" : repr(value, machine);
}

/** Implements Python's `repr(value)`, except that the marks of a guard are not escaped. */
export function repr(value: Value, machine: Machine): string {
  return represent(value, { machine, depth: 0 });
}

/** Implements Python's `ascii(value)`: `repr` with all non-ASCII characters escaped. */
export function ascii(value: Value, machine: Machine): string {
  return repr(value, machine).replace(/[^\0-\x7f]/gu, (character) => {
    const hex = character.codePointAt(0)!.toString(16);
    if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`;
    return hex.length <= 4
      ? `\\u${hex.padStart(4, "0")}`
      : `\\U${hex.padStart(8, "0")}`;
  });
}

interface Place {
  readonly machine: Machine;
  readonly depth: number;
}

function represent(value: Value, { machine, depth }: Place): string {
  if (depth > MAX_DEPTH) throw limitError("nesting depth");
  if (typeof value === "string") {
    machine.spendText(value);
    const printed = stringRepr(value);
    return isMarked(value) ? restoreMarks(printed) : printed;
  }
  machine.spend(2);
  const place = { machine, depth: depth + 1 };
  if (value === null) return "None";
  if (value instanceof Map) return dictRepr(value, place);
  if (Array.isArray(value)) return listRepr(value, place);
  if (value instanceof Markup) {
    return `Markup(${represent(value.text, place)})`;
  }
  if (value instanceof DictView) {
    return `${value.typeName}(${listRepr(value.values(), place)})`;
  }
  if (value instanceof Namespace) {
    return `<Namespace ${dictRepr(value.members, place)}>`;
  }
  return value instanceof PyObject ? value.repr() : numberRepr(value);
}

function listRepr(value: readonly Value[], place: Place): string {
  const parts = joined(value, (item) => represent(item, place), place.machine);
  if (!(value instanceof Tuple)) return `[${parts}]`;
  return value.length === 1 ? `(${parts},)` : `(${parts})`;
}

function dictRepr(value: Map<Value, Value>, place: Place): string {
  const entry = ([key, member]: [Value, Value]) =>
    `${represent(key, place)}: ${represent(member, place)}`;
  return `{${joined(value, entry, place.machine)}}`;
}

function joined<T>(
  items: Iterable<T>,
  text: (item: T) => string,
  machine: Machine,
): string {
  let all = "";
  let first = true;
  for (const item of items) {
    all += first ? text(item) : `, ${text(item)}`;
    first = false;
    machine.checkLength(all.length);
  }
  return all;
}
