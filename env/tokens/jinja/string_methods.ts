/** Implements the methods of Python's strings. */

import {
  type BoundArguments,
  type Method,
  method,
  methodTable,
} from "./arguments.ts";
import { typeError } from "./template_error.ts";
import type { Machine } from "./machine.ts";
import { pad } from "./padding.ts";
import {
  capitalize,
  isCased,
  splitLines,
  swapCase,
  title,
} from "./python_text.ts";
import {
  isSpace,
  leadingSpaces,
  trim,
  trimEnd,
} from "../../python/python_space.ts";
import { isPrintable } from "../../python/unicode_printable.ts";
import { strFormat } from "./str_format.ts";
import {
  characters,
  indexOf,
  isPlain,
  isTrue,
  listOf,
  Markup,
  plain,
  stringLength,
  Tuple,
  typeName,
  Undefined,
  type Value,
} from "./values.ts";

/** The methods of strings, keyed by name. */
export const STRING_METHODS: ReadonlyMap<string, Method<string>> = methodTable([
  method("capitalize", "/", (self) => capitalize(self)),
  method("casefold", "/", (self) => self.toLowerCase().replaceAll("ß", "ss")),
  method("center", "width, fillchar?, /", padded("^")),
  method("count", "sub, start?, end?, /", (self, given, machine) => {
    const part = text(given[0], "must be str");
    const { within } = range(self, given);
    if (part === "") return stringLength(within) + 1;
    return splitBy(within, part, { limit: -1, machine }).length - 1;
  }),
  method("endswith", "suffix, start?, end?, /", affixed("endsWith")),
  method(
    "expandtabs",
    "tabsize?",
    (self, [size = 8], machine) => expandTabs(self, indexOf(size), machine),
  ),
  method(
    "find",
    "sub, start?, end?, /",
    (self, given) => find(self, given, false),
  ),
  method(
    "index",
    "sub, start?, end?, /",
    (self, given) => found(find(self, given, false)),
  ),
  method(
    "rfind",
    "sub, start?, end?, /",
    (self, given) => find(self, given, true),
  ),
  method(
    "rindex",
    "sub, start?, end?, /",
    (self, given) => found(find(self, given, true)),
  ),
  {
    name: "format",
    call: (self, args, keywords, machine) =>
      strFormat(self, { args, keywords, machine }),
  },
  method("format_map", "mapping, /", (self, [mapping], machine) => {
    if (!(mapping instanceof Map)) {
      throw typeError("format_map needs a mapping");
    }
    return strFormat(self, { args: [], keywords: mapping, machine });
  }),
  ...[
    ["isalnum", every(/[\p{L}\p{N}]/u)],
    ["isalpha", every(/\p{L}/u)],
    ["isascii", (self: string) => /^[\0-\x7f]*$/.test(self)],
    ["isdecimal", every(/\p{Nd}/u)],
    ["isdigit", every(/[\p{Nd}\u00b2\u00b3\u00b9\u2070-\u2089\u2460-\u2468]/u)],
    [
      "isidentifier",
      (self: string) => /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(self),
    ],
    ["islower", isLower],
    ["isnumeric", every(/\p{N}/u)],
    [
      "isprintable",
      (self: string) =>
        [...self].every((one) => isPrintable(one.codePointAt(0)!)),
    ],
    ["isspace", (self: string) => self !== "" && trim(self) === ""],
    [
      "istitle",
      (self: string) => [...self].some(isCased) && title(self) === self,
    ],
    ["isupper", isUpper],
  ].map(([name, test]) =>
    method<string>(
      name as string,
      "/",
      (self) => (test as (self: string) => boolean)(self),
    )
  ),
  method(
    "join",
    "iterable, /",
    (self, [iterable = null], machine) =>
      join(self, listOf(iterable, machine), machine),
  ),
  method("ljust", "width, fillchar?, /", padded("<")),
  method("rjust", "width, fillchar?, /", padded(">")),
  method("lower", "/", (self) => self.toLowerCase()),
  method("upper", "/", (self) => self.toUpperCase()),
  method(
    "lstrip",
    "chars?, /",
    (self, [chars = null]) => strip(self, chars, "start"),
  ),
  method(
    "rstrip",
    "chars?, /",
    (self, [chars = null]) => strip(self, chars, "end"),
  ),
  method(
    "strip",
    "chars?, /",
    (self, [chars = null]) => strip(self, chars, "both"),
  ),
  method("partition", "sep, /", (self, [separator]) => {
    const by = separatorOf(separator);
    const at = self.indexOf(by);
    return at < 0
      ? Tuple.make([self, "", ""])
      : Tuple.make([self.slice(0, at), by, self.slice(at + by.length)]);
  }),
  method("rpartition", "sep, /", (self, [separator]) => {
    const by = separatorOf(separator);
    const at = self.lastIndexOf(by);
    return at < 0
      ? Tuple.make(["", "", self])
      : Tuple.make([self.slice(0, at), by, self.slice(at + by.length)]);
  }),
  method("removeprefix", "prefix, /", (self, [prefix]) => {
    const start = text(prefix, "removeprefix() argument must be str");
    return self.startsWith(start) ? self.slice(start.length) : self;
  }),
  method("removesuffix", "suffix, /", (self, [suffix]) => {
    const end = text(suffix, "removesuffix() argument must be str");
    return end !== "" && self.endsWith(end) ? self.slice(0, -end.length) : self;
  }),
  method(
    "replace",
    "old, new, count?, /",
    (self, [old, by, count], machine) =>
      replace(self, {
        old: text(old, "replace() argument 1 must be str"),
        by: text(by, "replace() argument 2 must be str"),
        count: count === undefined ? -1 : indexOf(count),
        machine,
      }),
  ),
  method(
    "split",
    "sep?, maxsplit?",
    (self, [sep = null, limit = -1], machine) =>
      split(self, sep, { limit: indexOf(limit), machine }),
  ),
  method(
    "rsplit",
    "sep?, maxsplit?",
    (self, [sep = null, limit = -1], machine) =>
      rsplit(self, sep, { limit: indexOf(limit), machine }),
  ),
  method(
    "splitlines",
    "keepends?",
    (self, [keepEnds = false]) => splitLines(self, isTrue(keepEnds)),
  ),
  method("startswith", "prefix, start?, end?, /", affixed("startsWith")),
  method("swapcase", "/", (self) => swapCase(self)),
  method("title", "/", (self) => title(self)),
  method("zfill", "width, /", (self, [width = 0], machine) => {
    const sign = /^[-+]/.exec(self)?.[0] ?? "";
    const room = indexOf(width) - sign.length;
    const digits = self.slice(sign.length);
    return sign + pad(digits, { width: room, align: ">", fill: "0", machine });
  }),
]);

/**
 * Implements Python's `text.strip(chars)` at one end or both. For `null`, white space is stripped.
 * @throws {JinjaError} If `chars` is neither `null` nor a string.
 */
export function strip(
  self: string,
  chars: Value,
  where: "start" | "end" | "both",
): string {
  if (chars instanceof Undefined) throw chars.error();
  if (chars === null) {
    const end = where === "start" ? self : trimEnd(self);
    return where === "end" ? end : end.slice(leadingSpaces(end));
  }
  const set = new Set(characters(text(chars, "strip arg must be None or str")));
  const all = characters(self);
  let from = 0;
  let to = all.length;
  if (where !== "end") { while (from < to && set.has(all[from]!)) from++; }
  if (where !== "start") { while (to > from && set.has(all[to - 1]!)) to--; }
  return all.slice(from, to).join("");
}

/** Implements Python's `text.replace(old, new, count)`. */
export function replace(
  self: string,
  { old, by, count, machine }: {
    readonly old: string;
    readonly by: string;
    /** The maximum number of replacements. A negative number means no limit. */
    readonly count: number;
    readonly machine: Machine;
  },
): string {
  if (old === "") {
    const parts = characters(self);
    const limit = count < 0
      ? parts.length + 1
      : Math.min(count, parts.length + 1);
    machine.checkLength(self.length + limit * by.length);
    return parts.map((part, i) => i < limit ? by + part : part).join("") +
      (limit > parts.length ? by : "");
  }
  const parts = splitBy(self, old, { limit: count, machine });
  machine.checkLength(
    self.length + (parts.length - 1) * (by.length - old.length),
  );
  return parts.length === 1 ? self : parts.join(by);
}

/**
 * Implements Python's `text.join(items)`.
 * @throws {JinjaError} If an item is not a string.
 */
export function join(
  self: string,
  items: readonly Value[],
  machine: Machine,
): string {
  let length = 0;
  items.forEach((item, i) => {
    if (typeof item !== "string" && !(item instanceof Markup)) {
      throw typeError(
        `sequence item ${i}: expected str instance, ${typeName(item)} found`,
      );
    }
    machine.checkLength(length += text(item, "").length + self.length);
  });
  return items.map(plain).join(self);
}

interface SplitOptions {
  /** The maximum number of splits. A negative number means no limit. */
  readonly limit: number;
  readonly machine: Machine;
}

function split(self: string, separator: Value, options: SplitOptions): Value[] {
  if (separator instanceof Undefined) throw separator.error();
  if (separator !== null) {
    return splitBy(self, separatorOf(separator), options);
  }
  const { limit, machine } = options;
  const words: string[] = [];
  for (let at = leadingSpaces(self); at < self.length;) {
    machine.spend(1);
    // The remainder keeps its trailing white space.
    if (words.length === limit) return [...words, self.slice(at)];
    let end = at;
    while (end < self.length && !isSpace(self, end)) end++;
    words.push(self.slice(at, end));
    at = end;
    while (at < self.length && isSpace(self, at)) at++;
  }
  return words;
}

function rsplit(
  self: string,
  separator: Value,
  options: SplitOptions,
): Value[] {
  if (separator instanceof Undefined) throw separator.error();
  const { limit, machine } = options;
  if (limit < 0) return split(self, separator, options);
  if (separator !== null) {
    const by = separatorOf(separator);
    const parts = splitBy(self, by, { limit: -1, machine });
    const first = Math.max(0, parts.length - 1 - limit);
    return [parts.slice(0, first + 1).join(by), ...parts.slice(first + 1)];
  }
  const words: string[] = [];
  for (let end = trimEnd(self).length; end > 0;) {
    machine.spend(1);
    if (words.length === limit) {
      words.push(self.slice(0, end));
      break;
    }
    let at = end;
    while (at > 0 && !isSpace(self, at - 1)) at--;
    words.push(self.slice(at, end));
    end = at;
    while (end > 0 && isSpace(self, end - 1)) end--;
  }
  return words.reverse();
}

/** Splits a string at a separator into at most `limit + 1` parts. A negative `limit` means no limit. */
function splitBy(
  self: string,
  separator: string,
  { limit, machine }: SplitOptions,
): string[] {
  machine.spendText(self);
  if (limit < 0) {
    const parts = self.split(separator);
    machine.spend(parts.length);
    return parts;
  }
  const parts: string[] = [];
  let from = 0;
  while (parts.length < limit) {
    const at = self.indexOf(separator, from);
    if (at < 0) break;
    machine.spend(1);
    parts.push(self.slice(from, at));
    from = at + separator.length;
  }
  parts.push(self.slice(from));
  return parts;
}

function separatorOf(value: Value | undefined): string {
  const separator = text(value, "must be str or None");
  if (separator === "") throw typeError("empty separator");
  return separator;
}

function text(value: Value | undefined, complaint: string): string {
  if (typeof value === "string") return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) throw value.error();
  throw typeError(`${complaint}, not ${typeName(value ?? null)}`);
}

function padded(align: "<" | ">" | "^") {
  return (
    self: string,
    [width = 0, fill = " "]: BoundArguments,
    machine: Machine,
  ) => {
    const character = text(
      fill,
      "The fill character must be a unicode character",
    );
    if (stringLength(character) !== 1) {
      throw typeError("The fill character must be exactly one character long");
    }
    return align === "^"
      ? center(self, { width: indexOf(width), fill: character, machine })
      : pad(self, { width: indexOf(width), align, fill: character, machine });
  };
}

/**
 * Implements Python's `text.center(width)`. If both the padding and the width are odd, the extra space is on the left.
 */
export function center(
  self: string,
  { width, fill = " ", machine }: {
    readonly width: number;
    readonly fill?: string;
    readonly machine: Machine;
  },
): string {
  const length = stringLength(self);
  const missing = Math.max(0, width - length);
  const left = (missing >> 1) + (missing & width & 1);
  const start = pad(self, { width: length + left, align: ">", fill, machine });
  return pad(start, { width, align: "<", fill, machine });
}

/** Returns the substring between the indices `start` and `end`, its offset, and whether the indices are in order. */
function range(self: string, [, start = null, end = null]: BoundArguments) {
  if (start === null && end === null) {
    return { within: self, from: 0, valid: true };
  }
  const all = characters(self);
  const from = bound(start, all.length, 0);
  const to = Math.min(bound(end, all.length, all.length), all.length);
  return {
    within: all.slice(from, Math.max(from, to)).join(""),
    from,
    valid: from <= to,
  };
}

function bound(value: Value, length: number, otherwise: number): number {
  if (value === null) return otherwise;
  const index = indexOf(value, "slice indices");
  return index < 0 ? Math.max(0, index + length) : index;
}

function affixed(how: "startsWith" | "endsWith") {
  return (self: string, given: BoundArguments): boolean => {
    const [affix] = given;
    const { within, valid } = range(self, given);
    const name = how.toLowerCase();
    const affixes = affix instanceof Tuple ? affix : [affix];
    return affixes.some((one) =>
      within[how](
        text(one, `${name} first arg must be str or a tuple of str`),
      ) && valid
    );
  };
}

function find(self: string, given: BoundArguments, last: boolean): number {
  const part = text(given[0], "must be str");
  const { within, from, valid } = range(self, given);
  const at = last ? within.lastIndexOf(part) : within.indexOf(part);
  if (at < 0 || !valid) return -1;
  return from + (isPlain(within) ? at : stringLength(within.slice(0, at)));
}

function found(at: number): number {
  if (at < 0) throw typeError("substring not found");
  return at;
}

function every(pattern: RegExp): (self: string) => boolean {
  return (self) => self !== "" && [...self].every((one) => pattern.test(one));
}

/** Implements Python's `text.islower()`. */
export function isLower(self: string): boolean {
  return /[\p{Lowercase}]/u.test(self) &&
    !/[\p{Uppercase}\p{Lt}]/u.test(self);
}

/** Implements Python's `text.isupper()`. */
export function isUpper(self: string): boolean {
  return /[\p{Uppercase}]/u.test(self) &&
    !/[\p{Lowercase}\p{Lt}]/u.test(self);
}

function expandTabs(self: string, size: number, machine: Machine): string {
  let out = "";
  let column = 0;
  for (const character of self) {
    if (character === "\t") {
      const width = size > 0 ? size - column % size : 0;
      machine.checkLength(out.length + width);
      machine.spend(1 + (width >> 4));
      out += " ".repeat(width);
      column += width;
    } else {
      out += character;
      column = character === "\n" || character === "\r" ? 0 : column + 1;
    }
  }
  return out;
}
