/**
 * Converts Python literals in a model's text to JSON, as `ast.literal_eval` followed by `json.dumps` does.
 *
 * @see CPython 3.11 `Lib/ast.py`. Unlike in CPython, character names (`\N{…}`) and numbers of more than 4,300 digits
 * are not accepted.
 */

import { parsePythonJson } from "../../python/python_json.ts";
import { Float, type JsonValue, normalInt } from "../../python/python_value.ts";
import {
  floatRepr,
  isPythonNumber,
  negate,
} from "../../python/python_number.ts";
import {
  decodeBody,
  splitString,
} from "../../benchmarks/python_source/string_literal.ts";
import {
  children,
  type Node,
  parsePython,
  type PythonSource,
  textOf,
} from "../../benchmarks/python_source/syntax_tree.ts";
import { DataError } from "../../errors.ts";
import { UnreadableCalls } from "./tool_call_format.ts";

/**
 * A placeholder for a literal that has no JSON equivalent: bytes, a set, a complex number, `...`, or a collection that
 * contains one of these.
 */
export const NOT_JSON: unique symbol = Symbol("not JSON");

/** The value of an expression, or `undefined` if it is not a literal. */
export type Literal = JsonValue | typeof NOT_JSON | undefined;

/** The value of a literal, or {@linkcode NOT_JSON} if it has no JSON equivalent. */
export type LiteralValue = Exclude<Literal, undefined>;

/** Maximum nesting depth of brackets, as in CPython. */
const MAX_DEPTH = 200;

/** Parses a text as Python statements. Returns `undefined` if the text is not valid Python or is nested too deeply. */
export function parseStatements(
  text: string,
): { readonly source: PythonSource; readonly statements: Node[] } | undefined {
  if (text.includes("\0") || nestsTooDeep(text)) return undefined;
  try {
    const source = parsePython("text", text);
    return hasFalseNumber(source)
      ? undefined
      : { source, statements: children(source.root) };
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/** Checks whether the source contains numbers such as `007`, which the parser accepts but Python does not. */
function hasFalseNumber(source: PythonSource): boolean {
  let found = false;
  source.root.cursor().iterate(({ name, from, to }) => {
    if (name !== "Number") return !found;
    found ||= numberOf(source.text.slice(from, to)) === undefined;
    return false;
  });
  return found;
}

/** Evaluates a text as `ast.literal_eval` does. Tuples become arrays. */
export function readLiteral(text: string): Literal {
  const parsed = parseStatements(text.replace(/^[ \t]+/, ""));
  const [statement, ...others] = parsed?.statements ?? [];
  if (
    parsed === undefined || statement?.name !== "ExpressionStatement" ||
    others.length > 0
  ) return undefined;
  const [expression, ...further] = children(statement);
  if (expression === undefined) return undefined;
  const { source } = parsed;
  // "1, 2" is a tuple without parentheses.
  return further.length === 0
    ? literalOf(source, expression)
    : listOf(statement, (child) => literalOf(source, child));
}

/**
 * Converts the arguments of a call to JSON.
 * @throws {UnreadableCalls} If a value has no JSON equivalent.
 */
export function jsonArguments(
  given: ReadonlyMap<string, LiteralValue>,
): Map<string, JsonValue> {
  return new Map(
    Array.from(given, ([key, value]) => {
      if (value !== NOT_JSON) return [key, value];
      throw new UnreadableCalls(
        `The argument "${key}" is a Python value that JSON cannot represent`,
      );
    }),
  );
}

/**
 * Checks whether brackets are nested too deeply. This is checked before parsing, since the parser accepts any depth.
 */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (const [bracket] of text.matchAll(/[[({]|[\])}]/g)) {
    depth += "[({".includes(bracket) ? 1 : -1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

/**
 * Evaluates a literal: a signed number, a string, another constant, or a tuple, list, set or dictionary of literals.
 */
function literalOf(source: PythonSource, node: Node): Literal {
  const inner = (child: Node) => literalOf(source, child);
  switch (node.name) {
    case "ParenthesizedExpression":
      return withoutBrackets(node).map(inner)[0];
    case "UnaryExpression":
      return signed(source, node);
    case "BinaryExpression":
      return complexSum(source, node);
    case "TupleExpression":
      return listOf(node, inner);
    case "SetExpression":
      return listOf(node, inner) === undefined ? undefined : NOT_JSON;
    case "CallExpression":
      return textOf(source, node) === "set()" ? NOT_JSON : undefined;
    default:
      return constantOf(source, node, inner);
  }
}

/**
 * Evaluates a constant, a list or a dictionary. Signed numbers and tuples are not accepted.
 * @param inner The function that evaluates nested values. Default: {@linkcode constantOf} itself.
 */
export function constantOf(
  source: PythonSource,
  node: Node,
  inner: (node: Node) => Literal = (child) => constantOf(source, child),
): Literal {
  switch (node.name) {
    case "String":
    case "ContinuedString":
      return stringOf(source, node);
    case "Number":
      return numberOf(textOf(source, node));
    case "Boolean":
      return textOf(source, node) === "True";
    case "None":
      return null;
    case "Ellipsis":
      return NOT_JSON;
    case "ArrayExpression":
      return listOf(node, inner);
    case "DictionaryExpression":
      return dictionaryOf(node, inner);
    default:
      return undefined;
  }
}

function withoutBrackets(node: Node): Node[] {
  return children(node).filter(({ name }) => !/^[[\](){},:]$/.test(name));
}

function listOf(node: Node, inner: (node: Node) => Literal): Literal {
  const values: JsonValue[] = [];
  let isJson = true;
  for (const child of withoutBrackets(node)) {
    const value = inner(child);
    if (value === undefined) return undefined;
    if (value === NOT_JSON) isJson = false;
    else values.push(value);
  }
  return isJson ? values : NOT_JSON;
}

/**
 * Evaluates a dictionary. Among keys that are equal in Python, such as 1, 1.0 and True, the first key is kept with the
 * last value.
 */
function dictionaryOf(node: Node, inner: (node: Node) => Literal): Literal {
  const parts = withoutBrackets(node);
  const names = new Map<string, string>();
  const object = new Map<string, JsonValue>();
  let isJson = true;
  for (let i = 0; i < parts.length; i += 2) {
    const [key, member] = [parts[i], parts[i + 1]];
    if (key === undefined || member === undefined) return undefined;
    const name = inner(key);
    const value = inner(member);
    if (name === undefined || value === undefined) return undefined;
    const written = keyText(name);
    if (written === undefined || value === NOT_JSON) {
      isJson = false;
      continue;
    }
    const identity = identityOf(name);
    const text = names.get(identity) ?? written;
    names.set(identity, text);
    object.set(text, value);
  }
  return isJson ? object : NOT_JSON;
}

/** Converts a dictionary key to a string as `json.dumps` does. Returns `undefined` if `json.dumps` rejects the key. */
function keyText(key: LiteralValue): string | undefined {
  if (typeof key === "symbol") return undefined;
  if (typeof key === "string") return key;
  if (key === null) return "null";
  if (key instanceof Float) return floatRepr(key.value);
  if (typeof key === "number" && !Number.isInteger(key)) return floatRepr(key);
  return typeof key === "object" ? undefined : String(key);
}

/** Returns a string that is the same for all keys that are equal in Python. */
function identityOf(key: LiteralValue): string {
  if (typeof key === "string" || key === null) return JSON.stringify(key);
  return key instanceof Float ? String(key.value) : String(Number(key));
}

/** Evaluates a string literal, or several adjacent literals. */
function stringOf(source: PythonSource, node: Node): Literal {
  const parts = node.name === "String" ? [node] : children(node);
  const texts: string[] = [];
  let bytes = 0;
  for (const part of parts) {
    if (part.name !== "String") return undefined;
    try {
      const { prefix, body } = splitString(textOf(source, part));
      if (prefix.includes("b")) bytes++;
      texts.push(decodeBody(body, prefix.includes("r")));
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }
  if (bytes === 0) return texts.join("");
  return bytes === parts.length ? NOT_JSON : undefined;
}

const MAX_DIGITS = 4_300;

function numberOf(literal: string): Literal {
  const text = literal.replaceAll("_", "").toLowerCase();
  if (text.length > MAX_DIGITS) return undefined;
  if (/^0[xob]/.test(text)) {
    try {
      return normalInt(BigInt(text));
    } catch {
      return undefined;
    }
  }
  if (/^[\d.e+-]+j$/.test(text)) return NOT_JSON;
  if (/^(?:0+|[1-9]\d*)$/.test(text)) {
    return parsePythonJson(text.replace(/^0+$/, "0"));
  }
  if (!/^(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/.test(text)) return undefined;
  if (/^\d+$/.test(text)) return undefined; // a leading zero, as in 007
  const value = Number(text);
  return Number.isInteger(value) ? new Float(value) : value;
}

function signed(source: PythonSource, node: Node): Literal {
  const [operator, operand] = children(node);
  if (operator?.name !== "ArithOp" || operand?.name !== "Number") {
    return undefined;
  }
  const value = numberOf(textOf(source, operand));
  if (value === NOT_JSON || value === undefined) return value;
  if (textOf(source, operator) === "~" || !isPythonNumber(value)) {
    return undefined;
  }
  return textOf(source, operator) === "-" ? negate(value) : value;
}

/** Evaluates the sum or difference of a real and an imaginary number. Python accepts no other sums as literals. */
function complexSum(source: PythonSource, node: Node): Literal {
  const [left, operator, right, ...others] = children(node);
  const isSum = left !== undefined && right !== undefined &&
    others.length === 0 && /^[+-]$/.test(textOf(source, operator!)) &&
    right.name === "Number" &&
    numberOf(textOf(source, right)) === NOT_JSON;
  if (!isSum) return undefined;
  const real = literalOf(source, left);
  return typeof real !== "symbol" && real !== undefined && isPythonNumber(real)
    ? NOT_JSON
    : undefined;
}
