/** Parses clients' actions from JSON. As in Python, integers and floats stay distinct. */

import { DataError } from "../../errors.ts";
import {
  jsonFault,
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  toPlain,
} from "../../python/python_json.ts";
import type { Action } from "../../types.ts";
import { RequestError } from "../served_policy.ts";

/**
 * Parses a body that must be a JSON object.
 * @throws {RequestError} If the body is not a JSON object.
 */
export function readObject(text: string): JsonObject {
  const value = parse(text, "The body");
  if (value instanceof Map) return value;
  throw new RequestError("The body is not a JSON object");
}

/** The fields of each type of action. Every action also has `type` and, as in OpenEnv, may have `metadata`. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  respond: ["content"],
  call_tool: ["tool_name", "arguments", "content", "id"],
};

/**
 * Parses an action: `{ type: "respond", content }`, or OpenEnv's `{ type: "call_tool", tool_name, arguments }`, where
 * `arguments` is an object or, as written by models, JSON text.
 * @param where The name of the value in error messages.
 * @throws {RequestError} If the action is invalid. The message names the field and the problem.
 */
export function readAction(value: unknown, where = "action"): Action {
  if (!(value instanceof Map)) {
    throw new RequestError(`${where}: must be an object with the field "type"`);
  }
  const type = value.get("type");
  const fields = typeof type === "string" && Object.hasOwn(FIELDS, type)
    ? FIELDS[type]!
    : undefined;
  if (fields === undefined) {
    throw new RequestError(
      `${where}.type: must be one of ${Object.keys(FIELDS).join(", ")}`,
    );
  }
  const known = ["type", "metadata", ...fields];
  const odd = [...value.keys()].find((key) => !known.includes(key));
  if (odd !== undefined) {
    throw new RequestError(
      `${where}.${odd}: is not a field of "${type}"; the fields are ${
        fields.join(", ")
      }`,
    );
  }
  return type === "respond"
    ? { type, content: textOf(value, { name: "content", where }) }
    : callOf(value, where);
}

function callOf(action: JsonObject, where: string): Action {
  const content = action.get("content") ?? "";
  const text = typeof content === "string" ? content : "";
  return toolCall({
    name: textOf(action, { name: "tool_name", where }),
    args: action.get("arguments") ?? new Map(),
    id: action.has("id") ? textOf(action, { name: "id", where }) : "call",
    where: `${where}.arguments`,
    text,
  });
}

/**
 * Creates a tool call.
 * @throws {RequestError} If the arguments are not a JSON object.
 */
export function toolCall({ name, args, id, where, text = "" }: {
  readonly name: string;
  readonly args: JsonValue;
  readonly id: string;
  /** The name of the arguments in error messages, such as `action.arguments`. */
  readonly where: string;
  /** Text that accompanies the call. Default: none. */
  readonly text?: string;
}): Action {
  const read = typeof args === "string" ? parse(args, where) : args;
  if (!(read instanceof Map)) {
    throw new RequestError(`${where}: must be a JSON object`);
  }
  const call = { id, name, arguments: read };
  return text.trim() === ""
    ? { type: "tool", call }
    : { type: "tool", call, content: text };
}

/** Returns the fields of an object except `keys`, as plain data. */
export function plainWithout(
  object: JsonObject,
  ...keys: readonly string[]
): unknown {
  const rest = new Map(object);
  for (const key of keys) rest.delete(key);
  return toPlain(rest);
}

function textOf(
  action: JsonObject,
  { name, where }: { readonly name: string; readonly where: string },
): string {
  const value = action.get(name);
  if (typeof value === "string") return value;
  throw new RequestError(`${where}.${name}: must be a string`);
}

function parse(text: string, what: string): JsonValue {
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RequestError(`${what} is not JSON: ${jsonFault(error)}`);
  }
}
