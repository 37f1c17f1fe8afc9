/** Implements Python's `str.format` and `format()` with the rules of Jinja's sandbox. */

import { floatRepr, isFloat, toDouble } from "../../python/python_number.ts";
import type { PythonNumber } from "../../python/python_value.ts";
import { getAttribute, getItem } from "./attributes.ts";
import { isNumber } from "./compare.ts";
import { typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import {
  digitsOf,
  exponential,
  fixed,
  general,
  grouped,
  MAX_PRECISION,
  notFinite,
} from "./number_format.ts";
import { type Alignment, pad } from "./padding.ts";
import { ascii, repr, str } from "./marked_text.ts";
import {
  characters,
  type Keywords,
  type List,
  Markup,
  plain,
  typeName,
  type Value,
} from "./values.ts";

/** Maximum nesting depth of format specifications. */
const MAX_NESTING = 2;

/**
 * Implements Python's `text.format(*args, **keywords)`.
 * @throws {JinjaError} If the values do not match the format.
 */
export function strFormat(
  text: string,
  { args, keywords, machine, escapes = false }: {
    readonly args: List;
    readonly keywords: Keywords | Map<Value, Value>;
    readonly machine: Machine;
    /** Whether to escape values for HTML. Default: false. */
    readonly escapes?: boolean;
  },
): string {
  return new Formatter({ args, keywords, machine, escapes })
    .format(text, MAX_NESTING);
}

class Formatter {
  readonly #args: List;
  readonly #keywords: ReadonlyMap<Value, Value>;
  readonly #machine: Machine;
  readonly #escapes: boolean;
  #automatic = 0;
  #manual = false;

  constructor({ args, keywords, machine, escapes }: {
    readonly args: List;
    readonly keywords: ReadonlyMap<Value, Value>;
    readonly machine: Machine;
    readonly escapes: boolean;
  }) {
    this.#args = args;
    this.#keywords = keywords;
    this.#machine = machine;
    this.#escapes = escapes;
  }

  format(text: string, depth: number): string {
    if (depth < 0) throw typeError("Max string recursion exceeded");
    this.#machine.spendText(text);
    const braces = /[{}]/g;
    let out = "";
    for (let at = 0; at < text.length; at++) {
      const character = text[at]!;
      if (character !== "{" && character !== "}") {
        braces.lastIndex = at;
        const end = braces.exec(text)?.index ?? text.length;
        out += text.slice(at, end);
        at = end - 1;
      } else if (text[at + 1] === character) {
        out += character;
        at++;
      } else if (character === "}") {
        throw typeError("Single '}' encountered in format string");
      } else {
        const end = closing(text, at);
        out += this.#field(text.slice(at + 1, end), depth);
        at = end;
      }
      this.#machine.spend(1);
      this.#machine.checkLength(out.length);
    }
    return out;
  }

  #field(field: string, depth: number): string {
    const parts = /^([^!:[]*(?:\[[^\]]*\][^!:[]*)*)(?:!([^:]*))?(?::([^]*))?$/
      .exec(field);
    if (parts === null) throw typeError("expected '}' before end of string");
    const [, path = "", conversion, spec = ""] = parts;
    const value = this.#converted(this.#lookup(path), conversion);
    const form = this.format(spec, depth - 1);
    const shown = formatValue(plain(value), form, this.#machine);
    return this.#escapes && !(value instanceof Markup)
      ? Markup.escape(shown, () => shown).text
      : shown;
  }

  #converted(value: Value, conversion: string | undefined): Value {
    switch (conversion) {
      case undefined:
        return value;
      case "s":
        return str(value, this.#machine);
      case "r":
        return repr(value, this.#machine);
      case "a":
        return ascii(value, this.#machine);
      default:
        throw typeError(`Unknown conversion specifier ${conversion}`);
    }
  }

  #lookup(path: string): Value {
    const first = /^[^.[]*/.exec(path)![0];
    let value = this.#first(first);
    const rest = path.slice(first.length);
    for (
      const [, name, key] of rest.matchAll(/\.([^.[]*)|\[([^\]]*)\]|[^]+/g)
    ) {
      if (name !== undefined) {
        value = getAttribute(value, name, this.#machine);
      } else if (key !== undefined) {
        const index = /^\d+$/.test(key) ? Number(key) : key;
        value = getItem(value, index, this.#machine);
      } else {
        throw typeError(
          "Only '.' or '[' may follow ']' in format field specifier",
        );
      }
    }
    return value;
  }

  #first(name: string): Value {
    if (name === "") {
      if (this.#manual) {
        throw typeError(
          "cannot switch from manual field specification to automatic field numbering",
        );
      }
      return this.#argument(this.#automatic++);
    }
    if (/^\d+$/.test(name)) {
      if (this.#automatic > 0) {
        throw typeError(
          "cannot switch from manual field specification to automatic field numbering",
        );
      }
      this.#manual = true;
      return this.#argument(Number(name));
    }
    const value = this.#keywords.get(name);
    if (value === undefined) throw typeError(`KeyError: '${name}'`);
    return value;
  }

  #argument(index: number): Value {
    const value = this.#args[index];
    if (value !== undefined) return value;
    throw typeError(
      `Replacement index ${index} out of range for positional args tuple`,
    );
  }
}

/** Returns the index of the closing brace for the opening brace at index `at`. */
function closing(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length; i++) {
    if (text[i] === "{") depth++;
    if (text[i] === "}" && --depth === 0) return i;
  }
  throw typeError("expected '}' before end of string");
}

const SPEC =
  /^(?:([^])?([<>=^]))?([-+ ])?(z)?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/u;

interface Spec {
  readonly fill: string;
  readonly align: Alignment | "=" | undefined;
  readonly sign: string;
  readonly alternate: boolean;
  readonly width: number;
  readonly separator: string;
  readonly precision: number | undefined;
  readonly type: string;
}

/**
 * Implements Python's `format(value, spec)`.
 * @throws {JinjaError} If the value does not support the specification.
 */
function formatValue(
  value: Value,
  spec: string,
  machine: Machine,
): string {
  if (spec === "") return str(value, machine);
  const parsed = parseSpec(spec, value);
  if (typeof value === "string") return formatString(value, parsed, machine);
  if (isNumber(value)) return formatNumber(value, parsed, machine);
  throw typeError(
    `unsupported format string passed to ${typeName(value)}.__format__`,
  );
}

function parseSpec(spec: string, value: Value): Spec {
  const match = SPEC.exec(spec);
  if (match === null) {
    throw typeError(
      `Invalid format specifier '${spec}' for object of type '${
        typeName(value)
      }'`,
    );
  }
  const [, fill, align, sign, , alternate, zero, width, separator] = match;
  const precision = match[9];
  if (Number(precision ?? 0) > MAX_PRECISION && typeof value !== "string") {
    throw typeError("precision too big");
  }
  return {
    fill: fill ?? (zero ? "0" : " "),
    align: (align as Spec["align"]) ?? (zero ? "=" : undefined),
    sign: sign ?? "-",
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    separator: separator ?? "",
    precision: precision === undefined ? undefined : Number(precision),
    type: match[10] ?? "",
  };
}

function formatString(value: string, spec: Spec, machine: Machine): string {
  const { align, fill, width, precision, type } = spec;
  if (!["", "s"].includes(type)) throw unknownCode(type, "str");
  if (align === "=") {
    throw typeError("'=' alignment not allowed in string format specifier");
  }
  const text = precision === undefined
    ? value
    : characters(value).slice(0, precision).join("");
  return pad(text, { width, align: align ?? "<", fill, machine });
}

function formatNumber(
  value: PythonNumber,
  spec: Spec,
  machine: Machine,
): string {
  const { align, fill, width, sign } = spec;
  const { negative, prefix, digits } = isFloat(value) || isFloatType(spec.type)
    ? floatParts(toDouble(value), spec, isFloat(value))
    : intParts(BigInt(value), spec);
  const front = (negative ? "-" : sign === "-" ? "" : sign) + prefix;
  if (align !== "=") {
    return pad(front + digits, { width, align: align ?? ">", fill, machine });
  }
  const room = width - front.length;
  return front + pad(digits, { width: room, align: ">", fill, machine });
}

function isFloatType(type: string): boolean {
  return type !== "" && "eEfFgG%".includes(type);
}

const BASES: Readonly<Record<string, number>> = {
  "": 10,
  d: 10,
  n: 10,
  b: 2,
  o: 8,
  x: 16,
  X: 16,
};

function intParts(value: bigint, spec: Spec) {
  const { type, alternate, separator } = spec;
  if (type === "c") {
    return {
      negative: false,
      prefix: "",
      digits: String.fromCodePoint(Number(value)),
    };
  }
  const base = BASES[type];
  if (base === undefined) throw unknownCode(type, "int");
  const lower = digitsOf(value, base);
  const digits = type === "X" ? lower.toUpperCase() : lower;
  return {
    negative: value < 0n,
    prefix: alternate && base !== 10 ? `0${type}` : "",
    digits: separator === ""
      ? digits
      : grouped(digits, separator, base === 10 ? 3 : 4),
  };
}

function floatParts(value: number, spec: Spec, isFloatValue: boolean) {
  const { type, precision, separator, alternate } = spec;
  const upper = type !== type.toLowerCase();
  const text = notFinite(value) ?? floatDigits(value, {
    type: type.toLowerCase(),
    precision,
    keepZeros: alternate,
    isFloatValue,
  });
  const digits = separator === "" ? text : grouped(text, separator);
  return {
    negative: value < 0 || Object.is(value, -0),
    prefix: "",
    digits: (upper ? digits.toUpperCase() : digits) + (type === "%" ? "%" : ""),
  };
}

function floatDigits(
  value: number,
  { type, precision, keepZeros, isFloatValue }: {
    readonly type: string;
    readonly precision: number | undefined;
    readonly keepZeros: boolean;
    readonly isFloatValue: boolean;
  },
): string {
  switch (type) {
    case "f":
      return fixed(value, precision ?? 6);
    case "e":
      return exponential(value, precision ?? 6);
    case "%":
      return fixed(value * 100, precision ?? 6);
    case "g":
    case "n":
      return general(value, { precision: precision ?? 6, keepZeros });
    case "": {
      const magnitude = Math.abs(value);
      if (precision === undefined) return floatRepr(magnitude);
      const text = general(value, { precision, keepZeros });
      return /^\d+$/.test(text) && isFloatValue ? `${text}.0` : text;
    }
    default:
      throw unknownCode(type, "float");
  }
}

function unknownCode(type: string, of: string) {
  return typeError(
    `Unknown format code '${type}' for object of type '${of}'`,
  );
}
