/** Implements Python's `text % values`, which the filter `format` also uses. */

import { isFloat, toDouble } from "../../python/python_number.ts";
import { isNumber, lookup } from "./compare.ts";
import { typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import {
  digitsOf,
  exponential,
  fixed,
  general,
  MAX_PRECISION,
  notFinite,
} from "./number_format.ts";
import { pad } from "./padding.ts";
import { ascii, repr, str } from "./marked_text.ts";
import {
  characters,
  indexOf,
  Markup,
  Tuple,
  typeName,
  type Value,
} from "./values.ts";

const CONVERSION =
  /%(?:\(([^)]{0,1000})\))?([-+ #0]*)(\*|\d+)?(?:\.(\*|\d+)?)?[hlL]?([\s\S]?)/g;

/**
 * Implements Python's `template % given`.
 * @throws {JinjaError} If the values do not match the template.
 */
export function percentFormat(
  template: string,
  given: Value,
  { machine, escapes = false }: {
    readonly machine: Machine;
    /** Whether to escape text for HTML. Default: false. */
    readonly escapes?: boolean;
  },
): string {
  machine.spendText(template);
  const values = given instanceof Tuple ? given : [given];
  let at = 0;
  let named = false;
  const next = (): Value => {
    if (at >= values.length) {
      throw typeError("not enough arguments for format string");
    }
    return values[at++]!;
  };
  const number = (text: string | undefined): number | undefined =>
    text === "*" ? indexOf(next()) : text === undefined ? text : Number(text);

  const text = template.replace(
    CONVERSION,
    (whole, key, flags, width, precision, type) => {
      let value: Value;
      if (key !== undefined) {
        if (!(given instanceof Map)) {
          throw typeError("format requires a mapping");
        }
        named = true;
        const found = lookup(given, key, machine);
        if (found === undefined) throw typeError(`KeyError: '${key}'`);
        value = found;
      }
      const form = {
        flags,
        width: number(width) ?? 0,
        precision: number(precision) ??
          (/\.[hlL]?.?$/s.test(whole) ? 0 : undefined),
        type,
        machine,
        escapes,
      };
      if (type === "%") return "%";
      return convert(value! === undefined ? next() : value, form);
    },
  );
  // A mapping may contain unused keys. A list counts as a single value and may also remain unused.
  const all = named || given instanceof Map || Array.isArray(given) &&
      !(given instanceof Tuple);
  if (at < values.length && !all) {
    throw typeError("not all arguments converted during string formatting");
  }
  machine.checkLength(text.length);
  return text;
}

interface Form {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly type: string;
  readonly machine: Machine;
  readonly escapes: boolean;
}

function convert(value: Value, form: Form): string {
  const { type, precision, machine, escapes } = form;
  switch (type) {
    case "s":
    case "r":
    case "a": {
      const print = { s: str, r: repr, a: ascii }[type];
      const text = print(value, machine);
      const shown = escapes && !(type === "s" && value instanceof Markup)
        ? Markup.escape(text, () => text).text
        : text;
      return aligned(
        precision === undefined
          ? shown
          : characters(shown).slice(0, precision).join(""),
        form,
      );
    }
    case "c":
      return aligned(character(value), form);
    case "d":
    case "i":
    case "u":
      return signedNumber(integer(value, form), form);
    case "o":
    case "x":
    case "X":
      return signedNumber(inBase(value, form), form);
    case "e":
    case "E":
    case "f":
    case "F":
    case "g":
    case "G":
      return signedNumber(float(value, form), form);
    case "":
      throw typeError("incomplete format");
    default:
      throw typeError(`unsupported format character '${type}'`);
  }
}

/** A number split into its sign, prefix and digits, so that zeros can be inserted before the digits. */
interface Signed {
  readonly negative: boolean;
  readonly prefix: string;
  readonly digits: string;
}

function integer(value: Value, { type, precision = 0 }: Form): Signed {
  if (!isNumber(value)) {
    throw typeError(
      `%${type} format: a real number is required, not ${typeName(value)}`,
    );
  }
  const whole = isFloat(value)
    ? BigInt(Math.trunc(toDouble(value)))
    : BigInt(value);
  const digits = digitsOf(whole, 10).padStart(bounded(precision), "0");
  return { negative: whole < 0n, prefix: "", digits };
}

function inBase(value: Value, { type, flags, precision = 0 }: Form): Signed {
  if (!isNumber(value) || isFloat(value)) {
    throw typeError(
      `%${type} format: an integer is required, not ${typeName(value)}`,
    );
  }
  const lower = digitsOf(BigInt(value), type === "o" ? 8 : 16);
  const digits = (type === "X" ? lower.toUpperCase() : lower)
    .padStart(bounded(precision), "0");
  const prefix = flags.includes("#") ? `0${type}` : "";
  return { negative: BigInt(value) < 0n, prefix, digits };
}

function float(value: Value, { type, flags, precision = 6 }: Form): Signed {
  if (!isNumber(value)) {
    throw typeError(`must be real number, not ${typeName(value)}`);
  }
  const double = toDouble(value);
  const count = bounded(precision);
  const lower = type.toLowerCase();
  const text = notFinite(double) ??
    (lower === "f"
      ? fixed(double, count)
      : lower === "e"
      ? exponential(double, count)
      : general(double, { precision: count, keepZeros: flags.includes("#") }));
  return {
    negative: double < 0 || Object.is(double, -0),
    prefix: "",
    digits: type === lower ? text : text.toUpperCase(),
  };
}

function character(value: Value): string {
  if (typeof value === "string" && characters(value).length === 1) return value;
  if (typeof value === "number" && value >= 0 && value <= 0x10ffff) {
    return String.fromCodePoint(Math.trunc(value));
  }
  throw typeError("%c requires int or char");
}

function signedNumber(
  { negative, prefix, digits }: Signed,
  form: Form,
): string {
  const { flags, width, machine } = form;
  const sign = negative
    ? "-"
    : flags.includes("+")
    ? "+"
    : flags.includes(" ")
    ? " "
    : "";
  const front = sign + prefix;
  if (!flags.includes("0") || flags.includes("-")) {
    return aligned(front + digits, form);
  }
  const room = Math.abs(width) - front.length;
  return front + pad(digits, { width: room, align: ">", fill: "0", machine });
}

function aligned(text: string, { flags, width, machine }: Form): string {
  const align = flags.includes("-") || width < 0 ? "<" : ">";
  return pad(text, { width: Math.abs(width), align, machine });
}

function bounded(precision: number): number {
  if (precision > MAX_PRECISION) throw typeError("precision too big");
  return precision;
}
