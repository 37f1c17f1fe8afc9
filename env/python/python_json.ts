/**
 * Parses and formats JSON losslessly, as Python does: ints and floats stay distinct, and objects keep their key order.
 * See env/python/python_value.ts for the representation of values.
 */

import { DataError, messageOf } from "../errors.ts";
import { floatRepr } from "./python_number.ts";
import {
  Float,
  type JsonObject,
  type JsonValue,
  normalInt,
} from "./python_value.ts";

export {
  copyValue,
  Float,
  fromPlain,
  type JsonObject,
  type JsonValue,
  type PythonNumber,
  toPlain,
} from "./python_value.ts";

/** The maximum number of digits in an int, as in CPython. Parsing time grows faster than the number of digits. */
const MAX_DIGITS = 4300;

/** The maximum nesting depth of arrays and objects, approximately as in CPython. */
const MAX_DEPTH = 990;

/** Options for {@linkcode printPythonJson}. */
export interface PrintOptions {
  /** Whether to escape everything outside U+0020–U+007E. Default: true, as in `json.dumps`. */
  readonly ensureAscii?: boolean;
}

/** Options for {@linkcode parsePythonJson}. */
export interface ParseOptions {
  /** The path of the file that contains the text, for error messages. */
  readonly path?: string;
  /**
   * Whether to parse as Rust's serde_json does: no `NaN` or `Infinity`, no number beyond the range of a float, no lone
   * surrogates, `-0` as a float, and at most 127 levels. Default: false.
   */
  readonly isSerde?: boolean;
  /** Called for each duplicate key of an object. */
  readonly onDuplicate?: (object: JsonObject, key: string) => void;
}

/** The maximum nesting depth in serde_json. */
const MAX_SERDE_DEPTH = 127;

/**
 * Parses JSON as `json.loads` does, including `NaN` and `Infinity`. If a key occurs more than once, its last value is
 * kept, at the position of its first occurrence.
 * @throws {DataError} If the text is not valid JSON or exceeds a limit. The message names the line and the column.
 */
export function parsePythonJson(
  text: string,
  options: ParseOptions = {},
): JsonValue {
  return new Parser(text, options).document();
}

/**
 * Returns the message of a JSON error without its beginning, such as `expected a value, line 1, column 1`, for messages
 * that already say that the text is not JSON.
 */
export function jsonFault(error: unknown): string {
  return messageOf(error).replace(/^Cannot read JSON: /, "");
}

/** The result of {@linkcode parsePythonArray}. */
export interface ParsedArray {
  readonly elements: readonly JsonValue[];
  /** The error at which parsing stopped, or `undefined` if the whole text is valid JSON. */
  readonly error?: DataError;
}

/**
 * Parses a JSON array up to its first error. If the text is valid JSON but not an array, the result has no elements.
 */
export function parsePythonArray(
  text: string,
  options: ParseOptions = {},
): ParsedArray {
  const elements: JsonValue[] = [];
  try {
    new Parser(text, options).document(elements);
    return { elements };
  } catch (error) {
    if (error instanceof DataError) return { elements, error };
    throw error;
  }
}

/** Formats a value as `json.dumps` does: separators `, ` and `: `, keys in order, and floats in their shortest form. */
export function printPythonJson(
  value: JsonValue,
  options: PrintOptions = {},
): string {
  return print(value, options.ensureAscii === false ? quoteJson : quoteAscii);
}

/**
 * Formats a value as `json.dumps(value, indent=1, ensure_ascii=False)` does, for files that people read.
 * @param indent The indentation of the line that contains the value. Default: none.
 */
export function formatPythonJson(value: JsonValue, indent = ""): string {
  const inner = `${indent} `;
  const members = value instanceof Map
    ? Array.from(
      value,
      ([key, member]) =>
        `${quoteJson(key)}: ${formatPythonJson(member, inner)}`,
    )
    : Array.isArray(value)
    ? value.map((element) => formatPythonJson(element, inner))
    : undefined;
  if (members === undefined) return print(value, quoteJson);
  const [open, close] = value instanceof Map ? ["{", "}"] : ["[", "]"];
  if (members.length === 0) return open + close;
  const lines = members.map((member) => `\n${inner}${member}`).join(",");
  return `${open}${lines}\n${indent}${close}`;
}

/** Quotes a string as ASCII JSON, as `json.dumps` does. */
export function quoteAscii(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(
    /[\x7f-\uffff]/g,
    (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"),
  );
}

const PLAIN = /^[ !#-[\]-~]*$/;

/** Quotes a string as `json.dumps` does with `ensure_ascii=False`, except that lone surrogates are escaped. */
export function quoteJson(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

function print(value: JsonValue, quoted: (text: string) => string): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "boolean":
      return value ? "true" : "false";
    case "bigint":
      return String(value);
    case "number":
      return Number.isInteger(value) ? String(value) : printFloat(value);
  }
  if (value === null) return "null";
  if (value instanceof Float) return printFloat(value.value);
  return value instanceof Map
    ? printObject(value, quoted)
    : printArray(value, quoted);
}

function printObject(
  value: JsonObject,
  quoted: (text: string) => string,
): string {
  let text = "";
  for (const [key, member] of value) {
    text += (text === "" ? "{" : ", ") + quoted(key) + ": " +
      print(member, quoted);
  }
  return text === "" ? "{}" : text + "}";
}

function printArray(
  value: JsonValue[],
  quoted: (text: string) => string,
): string {
  let text = "[";
  for (let i = 0; i < value.length; i++) {
    text += (i === 0 ? "" : ", ") + print(value[i]!, quoted);
  }
  return text + "]";
}

function printFloat(value: number): string {
  if (Number.isFinite(value)) return floatRepr(value);
  return Number.isNaN(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity";
}

const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y;

/** A recursive descent parser. Each method parses the element that it is named after, starting at the cursor. */
class Parser {
  readonly #text: string;
  readonly #path: string | undefined;
  readonly #isSerde: boolean;
  readonly #onDuplicate: ParseOptions["onDuplicate"];
  #at = 0;
  #depth = 0;

  constructor(
    text: string,
    { path, isSerde = false, onDuplicate }: ParseOptions,
  ) {
    this.#text = text;
    this.#path = path;
    this.#isSerde = isSerde;
    this.#onDuplicate = onDuplicate;
  }

  /**
   * Parses the whole text.
   * @param elements Receives the elements of a top-level array, including those before an error.
   */
  document(elements?: JsonValue[]): JsonValue {
    const isArray = this.#next() === "[" && elements !== undefined;
    const value = isArray
      ? this.#nested(() => this.#array(elements))
      : this.#value();
    if (this.#next() !== undefined) this.#fail("unexpected text after the end");
    return value;
  }

  #value(): JsonValue {
    switch (this.#next()) {
      case "{":
        return this.#nested(() => this.#object());
      case "[":
        return this.#nested(() => this.#array());
      case '"':
        return this.#string();
      case "n":
        return this.#word("null", null);
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "N":
        return this.#word("NaN", NaN);
      case "I":
        return this.#word("Infinity", Infinity);
      case undefined:
        return this.#fail("the text ends where a value is expected");
      default:
        return this.#number();
    }
  }

  /**
   * Moves the cursor past white space and returns the character that it then points to, or `undefined` at the end of
   * the text.
   */
  #next(): string | undefined {
    const text = this.#text;
    let at = this.#at;
    for (;; at++) {
      const code = text.charCodeAt(at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break;
    }
    this.#at = at;
    return text[at];
  }

  #nested<T>(read: () => T): T {
    const most = this.#isSerde ? MAX_SERDE_DEPTH : MAX_DEPTH;
    if (++this.#depth > most) {
      this.#fail(`arrays and objects are nested more than ${most} levels deep`);
    }
    const value = read();
    this.#depth--;
    return value;
  }

  #object(): JsonObject {
    const object: JsonObject = new Map();
    this.#at++;
    if (this.#next() === "}") {
      this.#at++;
      return object;
    }
    while (true) {
      if (this.#next() !== '"') this.#fail("expected a key in double quotes");
      const key = this.#string();
      if (this.#next() !== ":") this.#fail("expected ':' after the key");
      this.#at++;
      if (this.#onDuplicate && object.has(key)) this.#onDuplicate(object, key);
      object.set(key, this.#value());
      if (this.#endsWith("}")) return object;
    }
  }

  #array(array: JsonValue[] = []): JsonValue[] {
    this.#at++;
    if (this.#next() === "]") {
      this.#at++;
      return array;
    }
    while (true) {
      array.push(this.#value());
      if (this.#endsWith("]")) return array;
    }
  }

  /**
   * Reads `,` or the closing bracket.
   * @returns Whether the closing bracket was read.
   */
  #endsWith(close: string): boolean {
    const next = this.#next();
    if (next !== "," && next !== close) {
      this.#fail(`expected ',' or '${close}'`);
    }
    this.#at++;
    return next === close;
  }

  #string(): string {
    const start = ++this.#at;
    for (let at = start;; at++) {
      const code = this.#text.charCodeAt(at);
      if (code === 34) {
        this.#at = at + 1;
        return this.#text.slice(start, at);
      }
      if (code === 92 || code < 32 || Number.isNaN(code)) {
        return this.#escapedString(start, at);
      }
    }
  }

  /**
   * Parses a string with escapes. Its contents begin at `start`, and `at` is the position of the first character that
   * is not plain.
   */
  #escapedString(start: number, at: number): string {
    const text = this.#text;
    while (text[at] !== '"') {
      this.#at = at;
      if (at >= text.length) this.#fail("unterminated string");
      if (text.charCodeAt(at) < 32) {
        this.#fail("a control character in a string must be escaped");
      }
      at += text[at] === "\\" ? 2 : 1;
    }
    this.#at = at + 1;
    try {
      const value = JSON.parse(text.slice(start - 1, at + 1)) as string;
      if (!this.#isSerde || value.isWellFormed()) return value;
      throw new SyntaxError("a lone surrogate");
    } catch {
      this.#at = start - 1;
      return this.#fail("a string has an invalid escape");
    }
  }

  #word(word: string, value: JsonValue): JsonValue {
    const isNumber = typeof value === "number";
    if (!this.#text.startsWith(word, this.#at) || isNumber && this.#isSerde) {
      this.#fail("expected a value");
    }
    this.#at += word.length;
    return value;
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (match === null) {
      if (this.#text[this.#at] !== "-") this.#fail("expected a value");
      return this.#word("-Infinity", -Infinity);
    }
    const [text, fraction, exponent] = match;
    this.#at += text.length;
    const value = Number(text);
    if (this.#isSerde && !Number.isFinite(value)) {
      this.#fail("a number is out of range");
    }
    if (this.#isSerde && text === "-0") return new Float(value);
    if (fraction !== undefined || exponent !== undefined) {
      return Number.isInteger(value) ? new Float(value) : value;
    }
    if (text.length > MAX_DIGITS + 1) {
      this.#fail(`an integer has more than ${MAX_DIGITS} digits`);
    }
    // `+ 0` since an int has no negative zero.
    return Number.isSafeInteger(value) ? value + 0 : normalInt(BigInt(text));
  }

  /**
   * Throws an error, which a policy also sees if its tool call is unreadable. Changing the wording would change the
   * policy's episodes.
   */
  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split("\n").length;
    const column = this.#at - before.lastIndexOf("\n");
    const where = this.#path === undefined ? "" : ` in "${this.#path}"`;
    throw new DataError(
      `Cannot read JSON${where}: ${what}, line ${line}, column ${column}`,
      this.#path === undefined ? {} : { path: this.#path },
    );
  }
}
