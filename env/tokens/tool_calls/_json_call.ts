/**
 * Parses calls written as JSON objects with `name` and `arguments` (or `parameters`), the core of several formats.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/base_format_detector.py`, `parse_base_json`. Unlike
 * SGLang, which formats arguments as JSON again, this module keeps them as values that distinguish integers from
 * floats.
 */

import { messageOf } from "../../errors.ts";
import { type JsonValue, parsePythonJson } from "../../python/python_json.ts";
import { type CallSink, UnreadableCalls } from "./tool_call_format.ts";

/**
 * Parses text as Python's `json.loads` does. If the text is not valid JSON, reports the reason and returns `undefined`.
 */
export function readJson(
  text: string,
  onFault: (reason: string) => void,
): JsonValue | undefined {
  try {
    return parsePythonJson(text);
  } catch (error) {
    onFault(`A call is not valid JSON: ${messageOf(error)}`);
    return undefined;
  }
}

/**
 * Adds a call or an array of calls to the sink. A call is skipped if its name is missing, empty, a number, a boolean or
 * `null`, or if no tool has that name.
 * @throws {UnreadableCalls} If a call is not an object, or its name is a non-empty array or object.
 */
export function takeJsonCalls(value: JsonValue, sink: CallSink): void {
  for (const item of Array.isArray(value) ? value : [value]) {
    takeJsonCall(item, sink);
  }
}

function takeJsonCall(value: JsonValue, sink: CallSink): void {
  if (!(value instanceof Map)) {
    throw new UnreadableCalls(
      `A call must be an object with "name" and "arguments", not ${
        kindOf(value)
      }`,
    );
  }
  const name = value.get("name") ?? null;
  if (isPythonTrue(name) && (Array.isArray(name) || name instanceof Map)) {
    throw new UnreadableCalls(
      `The name of a call must be a string, not ${kindOf(name)}`,
    );
  }
  takeCall(typeof name === "string" ? name : "", parametersOf(value), sink);
}

/**
 * Adds a call to the sink if there is a tool with its name, or if the tools are not known. Otherwise, or if the name is
 * empty, adds the reason for skipping the call.
 */
export function takeCall(
  name: string,
  parameters: JsonValue,
  { tools, calls, skipped }: CallSink,
): void {
  if (name === "") {
    skipped.push(`A call has no name`);
  } else if (tools !== undefined && !tools.has(name)) {
    skipped.push(`There is no tool named "${name}"`);
  } else {
    calls.push({ name, parameters });
  }
}

function parametersOf(call: ReadonlyMap<string, JsonValue>): JsonValue {
  const parameters = call.get("parameters") ?? null;
  if (isPythonTrue(parameters)) return parameters;
  const given = call.get("arguments");
  return given === undefined ? new Map() : given;
}

/**
 * Checks whether a JSON value is true in Python: any value except `null`, `false`, zero, and an empty string, array or
 * object.
 */
export function isPythonTrue(value: JsonValue): boolean {
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  if (typeof value === "number") return value !== 0;
  if (value !== null && typeof value === "object") return value.value !== 0;
  return Boolean(value);
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value instanceof Map) return "an object";
  if (typeof value === "string") return "a string";
  return typeof value === "boolean" ? "a boolean" : "a number";
}
