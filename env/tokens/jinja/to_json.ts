/** Implements the `tojson` filter as transformers defines it: `json.dumps` with `ensure_ascii=False`. */

import { quoteAscii, quoteJson } from "../../python/python_json.ts";
import { floatRepr, isFloat } from "../../python/python_number.ts";
import { restoreMarks } from "../guard.ts";
import { isNumber, order } from "./compare.ts";
import { limitError, typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import { Markup, typeName, type Value } from "./values.ts";

/** Options of `json.dumps`. */
export interface JsonOptions {
  readonly ensureAscii: boolean;
  /** The indentation of each level, or `null` to format the value on a single line. */
  readonly indent: string | null;
  readonly itemSeparator: string;
  readonly keySeparator: string;
  readonly sortKeys: boolean;
}

/** Maximum nesting depth of lists and dicts, close to Python's limit. */
const MAX_DEPTH = 900;

/**
 * Implements Python's `json.dumps(value)`. With {@linkcode PLAIN} options, the result for a dict is cached.
 * @throws {JinjaError} If a value has no JSON equivalent, or a limit is exceeded.
 */
export function toJson(
  value: Value,
  options: JsonOptions,
  machine: Machine,
): string {
  if (options !== PLAIN || !(value instanceof Map)) {
    return new Printer(options, machine).print(value, 0);
  }
  // Templates cannot change dicts, and the same tools are printed for every conversation.
  const known = PRINTED.get(value) ??
    new Printer(options, machine).print(value, 0);
  machine.spendText(known);
  PRINTED.set(value, known);
  return known;
}

/** The options of `tojson` without arguments. */
export const PLAIN: JsonOptions = {
  ensureAscii: false,
  indent: null,
  itemSeparator: ", ",
  keySeparator: ": ",
  sortKeys: false,
};

const PRINTED = new WeakMap<Map<Value, Value>, string>();

class Printer {
  readonly #options: JsonOptions;
  readonly #machine: Machine;
  readonly #quote: (text: string) => string;

  constructor(options: JsonOptions, machine: Machine) {
    this.#options = options;
    this.#machine = machine;
    this.#quote = options.ensureAscii
      ? (text) => restoreMarks(quoteAscii(text))
      : quoteJson;
  }

  print(value: Value, depth: number): string {
    if (typeof value === "string") {
      this.#machine.spendText(value);
      return this.#quote(value);
    }
    if (value instanceof Markup) return this.print(value.text, depth);
    this.#machine.spend(2);
    if (value === null) return "null";
    if (typeof value === "boolean") return value ? "true" : "false";
    if (isNumber(value)) return isFloat(value) ? float(value) : String(value);
    if (depth > MAX_DEPTH) throw limitError("nesting depth");
    if (value instanceof Map) return this.#object(value, depth);
    if (Array.isArray(value)) return this.#array(value, depth);
    throw typeError(
      `Object of type ${typeName(value)} is not JSON serializable`,
    );
  }

  #object(value: Map<Value, Value>, depth: number): string {
    const { sortKeys, keySeparator } = this.#options;
    const machine = this.#machine;
    const entries = sortKeys
      ? [...value].sort(([a], [b]) => order(a, b, { machine }))
      : value;
    const line = this.#line(depth + 1);
    const separator = this.#options.itemSeparator + line;
    let text = "";
    for (const [key, member] of entries) {
      text += (text === "" ? "{" + line : separator) +
        this.#quote(keyText(key)) + keySeparator +
        this.print(member, depth + 1);
      machine.checkLength(text.length);
    }
    return text === "" ? "{}" : text + this.#line(depth) + "}";
  }

  #array(value: Value[], depth: number): string {
    const line = this.#line(depth + 1);
    const separator = this.#options.itemSeparator + line;
    let text = "";
    for (const item of value) {
      text += (text === "" ? "[" + line : separator) +
        this.print(item, depth + 1);
      this.#machine.checkLength(text.length);
    }
    return text === "" ? "[]" : text + this.#line(depth) + "]";
  }

  /** Returns a line break followed by the indentation of a level, or an empty string for single-line output. */
  #line(depth: number): string {
    const { indent } = this.#options;
    if (indent === null) return "";
    this.#machine.checkLength(indent.length * depth);
    return "\n" + indent.repeat(depth);
  }
}

function float(value: number | { readonly value: number }): string {
  const double = typeof value === "number" ? value : value.value;
  if (Number.isFinite(double)) return floatRepr(double);
  return Number.isNaN(double) ? "NaN" : double < 0 ? "-Infinity" : "Infinity";
}

function keyText(key: Value): string {
  if (typeof key === "string") return key;
  if (key === null) return "null";
  if (typeof key === "boolean") return key ? "true" : "false";
  if (isNumber(key)) return isFloat(key) ? float(key) : String(key);
  throw typeError(
    `keys must be str, int, float, bool or None, not ${typeName(key)}`,
  );
}
