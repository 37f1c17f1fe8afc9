/**
 * Implements the filters for strings. Other values are converted with `str`, unless Jinja's filter requires a string.
 */

import { method } from "../arguments.ts";
import { typeError } from "../template_error.ts";
import type { Machine } from "../machine.ts";
import { ARITHMETIC } from "../operators.ts";
import { capitalize, splitLines } from "../python_text.ts";
import { SPACES } from "../../../python/python_space.ts";
import { center, replace, strip } from "../string_methods.ts";
import { str } from "../marked_text.ts";
import {
  characters,
  indexOf,
  isTrue,
  listOf,
  Markup,
  stringLength,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "../values.ts";
import type { Filter } from "./filter.ts";

const TEXTS: readonly Filter[] = [
  method(
    "capitalize",
    "",
    (value, _, machine) => capitalize(text(value, machine)),
  ),
  method(
    "center",
    "width?",
    (value, [width = 80], machine) =>
      center(text(value, machine), { width: indexOf(width), machine }),
  ),
  method("e", "", escape),
  method("escape", "", escape),
  method(
    "forceescape",
    "",
    (value, given, machine) => escape(str(value, machine), given, machine),
  ),
  {
    name: "format",
    call(value, args, keywords, machine) {
      if (args.length > 0 && keywords.size > 0) {
        throw typeError(
          "can't handle positional and keyword arguments at the same time",
        );
      }
      const given = keywords.size > 0 ? new Map(keywords) : Tuple.make(args);
      return ARITHMETIC["%"](
        value instanceof Markup ? value : text(value, machine),
        given,
        machine,
      );
    },
  },
  method(
    "indent",
    "width?, first?, blank?",
    (value, [width = 4, first = false, blank = false], machine) =>
      indented(string(value), {
        indent: typeof width === "string"
          ? width
          : spaces(indexOf(width), machine),
        first: isTrue(first),
        blank: isTrue(blank),
        machine,
      }),
  ),
  method(
    "lower",
    "",
    (value, _, machine) => text(value, machine).toLowerCase(),
  ),
  method(
    "upper",
    "",
    (value, _, machine) => text(value, machine).toUpperCase(),
  ),
  method(
    "replace",
    "old, new, count?",
    (value, [old, by, count], machine) =>
      replace(text(value, machine), {
        old: str(old!, machine),
        by: str(by!, machine),
        count: count === undefined || count === null ? -1 : indexOf(count),
        machine,
      }),
  ),
  method("safe", "", (value, _, machine) => new Markup(text(value, machine))),
  method("string", "", text),
  method(
    "title",
    "",
    (value, _, machine) =>
      words(text(value, machine), machine).map((part) => {
        const [first = ""] = part;
        return first.toUpperCase() + part.slice(first.length).toLowerCase();
      }).join(""),
  ),
  method(
    "trim",
    "chars?",
    (value, [chars = null], machine) =>
      strip(text(value, machine), chars, "both"),
  ),
  method(
    "truncate",
    "length?, killwords?, end?, leeway?",
    (
      value,
      [length = 255, killWords = false, end = "...", leeway],
      machine,
    ) => {
      machine.spendText(string(value));
      return truncated(string(value), {
        length: indexOf(length),
        killWords: isTrue(killWords),
        end: string(end),
        leeway: leeway === undefined || leeway === null ? 5 : indexOf(leeway),
      });
    },
  ),
  method("urlencode", "", (value, _, machine) => {
    if (value instanceof Map) return query([...value], machine);
    if (!Array.isArray(value)) return quoted(text(value, machine), "/");
    return query(value.map((pair) => listOf(pair, machine)), machine);
  }),
  method(
    "wordcount",
    "",
    (value, _, machine) =>
      text(value, machine).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0,
  ),
];

/** Names of filters that return markup if their input is markup. */
const SOFT: ReadonlySet<string> = new Set(
  ["capitalize", "center", "indent", "lower", "string", "trim", "upper"],
);

/** The filters for strings. Parameters have the same order as in Jinja. */
export const TEXT_FILTERS: readonly Filter[] = TEXTS.map((filter) =>
  SOFT.has(filter.name) ? keepingMarkup(filter) : filter
);

function keepingMarkup({ name, call }: Filter): Filter {
  return {
    name,
    call(value, args, keywords, machine) {
      if (!(value instanceof Markup)) {
        return call(value, args, keywords, machine);
      }
      const result = call(value.text, args, keywords, machine);
      return new Markup(str(result, machine));
    },
  };
}

/** Matches the separators after which a new word begins. */
const WORD_BEGINNING = new RegExp(`([-({\\[<${SPACES}]+)`);

/** Splits a text into words and the separators between words. */
function words(value: string, machine: Machine): string[] {
  const parts = value.split(WORD_BEGINNING);
  machine.spend(4 * parts.length);
  return parts;
}

/** Converts a value to a string, and counts the steps for processing it. */
function text(value: Value, machine: Machine): string;
function text(value: Value, given: unknown, machine: Machine): string;
function text(
  value: Value,
  given: unknown,
  machine = given as Machine,
): string {
  const printed = str(value, machine);
  machine.spendText(printed);
  return printed;
}

/**
 * Returns the text of a string or markup.
 * @throws {JinjaError} If the value is neither.
 */
function string(value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) throw value.error();
  throw typeError(`expected str, not ${typeName(value)}`);
}

function escape(value: Value, _: unknown, machine: Machine): Markup {
  const escaped = Markup.escape(value, (value) => str(value, machine));
  machine.spendText(escaped.text);
  return escaped;
}

function spaces(width: number, machine: Machine): string {
  machine.checkLength(width);
  return " ".repeat(Math.max(0, width));
}

function indented(
  value: string,
  { indent, first, blank, machine }: {
    readonly indent: string;
    readonly first: boolean;
    readonly blank: boolean;
    readonly machine: Machine;
  },
): string {
  machine.spendText(value);
  // Python appends a line break, so that an empty last line counts as a line.
  const lines = splitLines(value + "\n");
  machine.checkLength(value.length + indent.length * lines.length);
  const rest = lines.slice(1).map((line) =>
    blank || line !== "" ? indent + line : line
  );
  return [(first ? indent : "") + (lines[0] ?? ""), ...rest].join("\n");
}

function truncated(
  value: string,
  { length, killWords, end, leeway }: {
    readonly length: number;
    readonly killWords: boolean;
    readonly end: string;
    readonly leeway: number;
  },
): string {
  const room = length - stringLength(end);
  if (room < 0) throw typeError(`expected length >= ${stringLength(end)}`);
  if (leeway < 0) throw typeError(`expected leeway >= 0, got ${leeway}`);
  const all = characters(value);
  if (all.length <= length + leeway) return value;
  const start = all.slice(0, room).join("");
  const space = start.lastIndexOf(" ");
  return (killWords || space < 0 ? start : start.slice(0, space)) + end;
}

function query(pairs: readonly (readonly Value[])[], machine: Machine): string {
  const part = (value: Value | undefined) =>
    quoted(text(value ?? null, machine), "").replaceAll("%20", "+");
  return pairs.map(([key, value]) => `${part(key)}=${part(value)}`).join("&");
}

function quoted(value: string, safe: string): string {
  const text = encodeURIComponent(value.toWellFormed()).replace(
    /[!'()*]/g,
    (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return safe === "" ? text : text.replaceAll("%2F", safe);
}
