/** Actions of clients, read from JSON as Python spells it: a float that is whole stays a float. */

import { DataError } from "../../errors.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  toPlain,
} from "../../python/python_json.ts";
import type { Action } from "../../types.ts";
import { RequestError } from "../served_policy.ts";

/** The fields of a body that is an object. @throws {RequestError} If it is none, or no JSON. */
export function readObject(text: string): JsonObject {
  const value = parse(text, "The body");
  if (value instanceof Map) return value;
  throw new RequestError("The body is not a JSON object");
}

/** What an action may hold beside its type; `metadata` is every OpenEnv action's. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  respond: ["content"],
  call_tool: ["tool_name", "arguments", "content", "id"],
};

/**
 * Reads an action: `{ type: "respond", content }`, or OpenEnv's `{ type: "call_tool", tool_name, arguments }`, whose
 * arguments are an object or, as models write it, the text of one.
 * @param where What the error calls it.
 * @throws {RequestError} If it is none; says where and how.
 */
export function readAction(value: unknown, where = "action"): Action {
  if (!(value instanceof Map)) {
    throw new RequestError(`${where}: write an object, with a type`);
  }
  const type = value.get("type");
  const fields = typeof type === "string" && Object.hasOwn(FIELDS, type)
    ? FIELDS[type]!
    : undefined;
  if (fields === undefined) {
    throw new RequestError(
      `${where}.type: write one of ${Object.keys(FIELDS).join(", ")}`,
    );
  }
  const known = ["type", "metadata", ...fields];
  const odd = [...value.keys()].find((key) => !known.includes(key));
  if (odd !== undefined) {
    throw new RequestError(
      `${where}.${odd}: no field of "${type}", which has ${fields.join(", ")}`,
    );
  }
  return type === "respond"
    ? { type, content: textOf(value, { name: "content", where }) }
    : callOf(value, where);
}

function callOf(action: JsonObject, where: string): Action {
  const content = action.get("content") ?? "";
  const said = typeof content === "string" ? content : "";
  return toolCall({
    name: textOf(action, { name: "tool_name", where }),
    args: action.get("arguments") ?? new Map(),
    id: action.has("id") ? textOf(action, { name: "id", where }) : "call",
    where: `${where}.arguments`,
    said,
  });
}

/** A call of a tool. @throws {RequestError} If its arguments are neither an object nor the text of one. */
export function toolCall({ name, args, id, where, said = "" }: {
  readonly name: string;
  readonly args: JsonValue;
  readonly id: string;
  /** What the error calls the arguments. */
  readonly where: string;
  /** What is said beside the call. Default: nothing. */
  readonly said?: string;
}): Action {
  const read = typeof args === "string" ? parse(args, where) : args;
  if (!(read instanceof Map)) {
    throw new RequestError(`${where}: write a JSON object`);
  }
  const call = { id, name, arguments: read };
  return said.trim() === ""
    ? { type: "tool", call }
    : { type: "tool", call, content: said };
}

/** All but `keys`, as plain data. */
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
  throw new RequestError(`${where}.${name}: write a text`);
}

function parse(text: string, what: string): JsonValue {
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RequestError(`${what} is not JSON: ${error.message}`);
  }
}
