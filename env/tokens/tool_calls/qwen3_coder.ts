/**
 * Parses the tool calls of Qwen3-Coder and Qwen3.5, which have a tag for each argument:
 *
 *     <tool_call>
 *     <function=get_order_details>
 *     <parameter=order_id>
 *     #W1
 *     </parameter>
 *     </function>
 *     </tool_call>
 *
 * Values are text whose type is determined by the tool's schema. Unknown tool names are accepted, as in SGLang.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/qwen3_coder_detector.py`.
 */

import {
  jsonArguments,
  type LiteralValue,
  readLiteral,
} from "./_python_literal.ts";
import { floatValue, pythonFloat, pythonInt } from "./_python_number_text.ts";
import { blocksBetween } from "./_python_text.ts";
import { parsePythonJson } from "../../python/python_json.ts";
import { type JsonValue, normalInt } from "../../python/python_value.ts";
import {
  type CallSink,
  collectCalls,
  type KnownTools,
  type ParsedText,
  plainText,
} from "./tool_call_format.ts";

const START = "<tool_call>";
const END = "</tool_call>";
const FUNCTION = "<function=";
const FUNCTION_END = "</function>";
const PARAMETER = "<parameter=";

/**
 * Parses the calls in a text. Text before the first call is kept unchanged, and text between and after calls is
 * dropped.
 */
export function parseQwen3Coder(text: string, tools?: KnownTools): ParsedText {
  const start = text.indexOf(START);
  if (start < 0) return plainText(text);
  return collectCalls(text.slice(0, start), tools, (sink) => {
    const ended = blocksBetween(text, START, END).filter(({ isOpen }) =>
      !isOpen
    );
    const blocks = ended.length > 0 ? ended.map(({ body }) => body) : [text];
    for (const block of blocks) {
      const functions = blocksBetween(block, FUNCTION, FUNCTION_END);
      if (functions.length === 0) {
        sink.skipped.push(
          `A call must contain ${FUNCTION}NAME> and ${FUNCTION_END}`,
        );
      }
      for (const { body } of functions) readFunction(body, sink);
    }
  });
}

function readFunction(body: string, sink: CallSink): void {
  const close = body.indexOf(">");
  if (close < 0) {
    sink.skipped.push(`A call has no name: write ${FUNCTION}NAME>`);
    return;
  }
  const name = body.slice(0, close);
  const types = propertiesOf(sink.tools?.get(name));
  const given = new Map<string, LiteralValue>();
  for (const [key, value] of parametersIn(body.slice(close + 1))) {
    given.set(key, typed(value, { key, types }));
  }
  sink.calls.push({ name, parameters: jsonArguments(given) });
}

const PARAMETER_END = /<\/parameter>|<parameter=|<\/function>/g;

/**
 * Yields the parameters of a call. Each value ends at its closing tag, the next parameter or the end of the text. A
 * newline at its beginning and a newline at its end are dropped.
 */
function* parametersIn(text: string): Generator<[key: string, value: string]> {
  for (let at = text.indexOf(PARAMETER); at >= 0;) {
    const from = at + PARAMETER.length;
    PARAMETER_END.lastIndex = from;
    const end = PARAMETER_END.exec(text)?.index ?? lastLineEnd(text, from);
    const inside = text.slice(from, end);
    const close = inside.indexOf(">");
    if (close >= 0) {
      const value = inside.slice(close + 1);
      yield [inside.slice(0, close), withoutLineEnds(value)];
    }
    at = text.indexOf(PARAMETER, end);
  }
}

function lastLineEnd(text: string, from: number): number {
  return text.endsWith("\n") && text.length > from
    ? text.length - 1
    : text.length;
}

function withoutLineEnds(text: string): string {
  const from = text.startsWith("\n") ? 1 : 0;
  const to = text.endsWith("\n") && text.length > from
    ? text.length - 1
    : text.length;
  return text.slice(from, to);
}

/** Returns the schemas of a tool's arguments, keyed by name. The map is empty if the tool is unknown. */
function propertiesOf(
  schema: Readonly<Record<string, unknown>> | undefined,
): ReadonlyMap<string, unknown> {
  const inner = schema?.["properties"];
  const properties = schema !== undefined && "properties" in schema
    ? inner
    : schema;
  return new Map(Object.entries(Object(properties)));
}

/** Matches the values of a schema's `type` that denote an integer. */
const INTEGER = /^(?:u?int|long|short|unsigned)/;
const NUMBER = /^(?:num|float)/;
const CONTAINER = /^(?:object$|array$|arr$|dict|list)/;
const TEXT = new Set(["string", "str", "text", "varchar", "char", "enum"]);
const BOOLEAN = new Set(["boolean", "bool", "binary"]);

/**
 * Converts a value to the type that its schema specifies. The text `null`, in upper or lower case, becomes `null` for
 * any type. A boolean other than `true` becomes `false`. A value of type object or array is parsed as JSON or, if it is
 * not JSON, as a Python literal. A value of an unknown type is parsed as a Python literal. Text that cannot be
 * converted remains a string.
 */
function typed(
  value: string,
  { key, types }: {
    readonly key: string;
    readonly types: ReadonlyMap<string, unknown>;
  },
): LiteralValue {
  if (value.toLowerCase() === "null") return null;
  if (!types.has(key)) return value;
  const type = typeOf(types.get(key));
  if (TEXT.has(type)) return value;
  if (INTEGER.test(type)) return pythonInt(value) ?? value;
  if (NUMBER.test(type)) return numberOf(value) ?? value;
  if (BOOLEAN.has(type)) return value.toLowerCase() === "true";
  if (CONTAINER.test(type)) {
    const json = jsonOf(value);
    if (json !== undefined) return json;
  }
  const literal = readLiteral(value);
  return literal === undefined ? value : literal;
}

/**
 * Returns the `type` of a schema in lower case. Returns `string` if the schema has no type, and `other` if the type is
 * not a string.
 */
function typeOf(schema: unknown): string {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    return "string";
  }
  if (!("type" in schema)) return "string";
  const { type } = schema;
  return typeof type === "string" ? type.trim().toLowerCase() : "other";
}

/** Parses a number. A whole number without a point or exponent is an int with the precision of a double. */
function numberOf(text: string): JsonValue | undefined {
  const value = pythonFloat(text);
  if (value === undefined) return undefined;
  const isInt = !/[.e]/i.test(text) && Number.isInteger(value);
  return isInt ? normalInt(BigInt(value)) : floatValue(value);
}

function jsonOf(text: string): JsonValue | undefined {
  try {
    return parsePythonJson(text);
  } catch {
    return undefined;
  }
}
