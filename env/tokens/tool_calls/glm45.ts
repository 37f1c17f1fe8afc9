/**
 * Parses the tool calls of GLM-4.5 and GLM-4.6, which have a pair of tags for each argument:
 *
 *     <tool_call>get_order_details
 *     <arg_key>order_id</arg_key>
 *     <arg_value>#W1</arg_value>
 *     </tool_call>
 *
 * A value is parsed as JSON or, if it is not JSON, as a Python literal; any other value is a string. If the tool's
 * schema specifies a string, the parsed value is converted to a string again. A line break may be written as the two
 * characters `\n`.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/glm4_moe_detector.py`. Differs: sets, bytes and
 * complex numbers keep their original text if the schema specifies a string.
 */

import { takeCall } from "./_json_call.ts";
import {
  jsonArguments,
  type LiteralValue,
  NOT_JSON,
  readLiteral,
} from "./_python_literal.ts";
import { floatValue, pythonFloat, pythonInt } from "./_python_number_text.ts";
import { blocksBetween, PYTHON_SPACE, pythonStrip } from "./_python_text.ts";
import { schemaType } from "./_schema_type.ts";
import { parsePythonJson, printPythonJson } from "../../python/python_json.ts";
import { pythonStr } from "../../python/python_repr.ts";
import type { JsonValue } from "../../python/python_value.ts";
import {
  type CallSink,
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
  UnreadableCalls,
} from "./tool_call_format.ts";

const START = "<tool_call>";
const END = "</tool_call>";
const KEY = "<arg_key>";
const VALUE_END = "</arg_value>";

/** Parses the calls in a text. Text before the first call is kept, and text between and after calls is dropped. */
export function parseGlm45(text: string, tools?: KnownTools): ParsedText {
  const start = text.indexOf(START);
  if (start < 0) return plainText(text);
  return collectCalls(pythonStrip(text.slice(0, start)), tools, (sink) => {
    for (const { body, isOpen } of blocksBetween(text, START, END)) {
      if (isOpen) {
        sink.skipped.push(`A call begins but does not end with ${END}`);
      } else readCall(body, sink);
    }
  });
}

function readCall(body: string, sink: CallSink): void {
  const lineEnd = /\\n|\n/.exec(body);
  if (lineEnd === null) {
    sink.skipped.push(`A call must have the tool's name on a separate line`);
    return;
  }
  const name = body.slice(0, lineEnd.index);
  const schema = sink.tools?.get(name);
  if (sink.tools !== undefined && schema === undefined) {
    takeCall(name, null, sink);
    return;
  }
  const given = new Map<string, LiteralValue>();
  const rest = body.slice(lineEnd.index + lineEnd[0].length);
  for (const [written, value] of pairsIn(rest)) {
    const key = pythonStrip(written);
    given.set(key, valueOf(value, argumentType(schema, key)));
  }
  takeCall(name, jsonArguments(given), sink);
}

const BETWEEN = new RegExp(
  `</arg_key>(?:\\\\n|${PYTHON_SPACE})*<arg_value>`,
  "g",
);

function* pairsIn(text: string): Generator<[key: string, value: string]> {
  for (let at = text.indexOf(KEY); at >= 0;) {
    const from = at + KEY.length;
    BETWEEN.lastIndex = from;
    const between = BETWEEN.exec(text);
    if (between === null) return;
    const begin = between.index + between[0].length;
    const end = text.indexOf(VALUE_END, begin);
    if (end < 0) return;
    yield [text.slice(from, between.index), text.slice(begin, end)];
    at = text.indexOf(KEY, end + VALUE_END.length);
  }
}

function argumentType(
  schema: Readonly<Record<string, unknown>> | undefined,
  key: string,
): string | undefined {
  const properties = new Map(Object.entries(Object(schema?.["properties"])));
  return properties.has(key) ? schemaType(properties.get(key)) : undefined;
}

function valueOf(text: string, type: string | undefined): LiteralValue {
  const value = jsonIn(text) ?? jsonIn(unescaped(text));
  if (value !== undefined) {
    const { json } = value;
    if (type === "string") return printed(json);
    return type === "number" && typeof json === "string"
      ? numberIn(json) ?? json
      : json;
  }
  const literal = readLiteral(text);
  if (literal === undefined) return text;
  if (type !== "string") return literal;
  if (literal !== NOT_JSON) return printedLiteral(literal, text);
  return pythonStrip(text) === "..." ? "Ellipsis" : text;
}

function jsonIn(
  text: string | undefined,
): { readonly json: JsonValue } | undefined {
  if (text === undefined) return undefined;
  try {
    return { json: parsePythonJson(text) };
  } catch {
    return undefined;
  }
}

/** Parses a number that was written as a JSON string, for a schema that specifies a number. */
function numberIn(text: string): JsonValue | undefined {
  if (!/[.e]/i.test(text)) return pythonInt(text);
  const value = pythonFloat(text);
  return value === undefined ? undefined : floatValue(value);
}

/**
 * Removes one level of escapes, by parsing the text as the contents of a JSON string. Returns `undefined` if the text
 * cannot be parsed.
 * @throws {UnreadableCalls} If unescaped quotation marks in the text result in a value other than a string.
 */
function unescaped(text: string): string | undefined {
  const value = jsonIn(`{"tmp": "${text}"}`)?.json;
  const inner = value instanceof Map ? value.get("tmp") : undefined;
  if (inner === undefined || typeof inner === "string") return inner;
  throw new UnreadableCalls(
    `An argument contains a quotation mark that is not escaped`,
  );
}

/** Formats a value as a string, for a schema that specifies a string. */
function printed(value: JsonValue): string {
  return typeof value === "object" && value !== null &&
      (Array.isArray(value) || value instanceof Map)
    ? printPythonJson(value, { ensureAscii: false })
    : pythonStr(value);
}

/** Formats a Python literal as a string, for a schema that specifies a string. Python prints tuples in parentheses. */
function printedLiteral(value: JsonValue, text: string): string {
  const isTuple = Array.isArray(value) && !text.trimStart().startsWith("[");
  if (!isTuple) return printed(value);
  const inside = pythonStr(value).slice(1, -1);
  return `(${inside}${value.length === 1 ? "," : ""})`;
}
