/**
 * Actions as text, as the act and react agents write them:
 *
 *     Thought:
 *     The order is pending, so it can be cancelled.
 *     Action:
 *     {"name": "cancel_pending_order", "arguments": {"order_id": "#W1", "reason": "no longer needed"}}
 *
 * @module
 */

import { DataError } from "../errors.ts";
import {
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../python_json.ts";
import type { Action, ToolAction } from "../types.ts";
import type { Reading } from "./_chat_session.ts";

/** The name by which a text action speaks to the customer. */
export const RESPOND = "respond";

/** How text actions are set off. */
export interface TextActionStyle {
  /** What stands before an action: `Action:`. */
  readonly marker: string;
  /**
   * Say to the customer what cannot be read, as τ-bench does: thoughts and broken JSON reach them. Default:
   * the model is told what is wrong, and may try again.
   */
  readonly compat?: boolean;
}

/**
 * Reads the action after the last marker. Forgives what leaves no doubt: a code fence around the JSON, text
 * after it, and `respond` without quotes, as τ-bench's own prompt has it.
 * @param index Which answer of the conversation it is; the call's id is made of it.
 */
export function readTextAction(
  text: string,
  { marker, compat = false, index }: TextActionStyle & { index: number },
): Reading {
  const at = text.lastIndexOf(marker);
  const body = text.slice(at < 0 ? 0 : at + marker.length).trim();
  const value = parseObject(body);
  const problem = at < 0 && value === undefined
    ? `There is no "${marker}" in the answer`
    : problemOf(value);
  if (problem === undefined && value instanceof Map) {
    return toReading(value, index);
  }
  if (compat) return { action: { type: "respond", content: body } };
  return {
    problem:
      `${problem}. After "${marker}" write one JSON object: {"name": "…", "arguments": {…}}`,
  };
}

/** An action as text, after `thought` where there is one. */
export function writeTextAction(
  action: Action,
  { marker, thought }: { marker: string; thought?: string },
): string {
  const { name, arguments: args } = action.type === "tool"
    ? action.call
    : respondAction(action.content);
  const json = printPythonJson(
    new Map<string, JsonValue>([["name", name], ["arguments", args]]),
    { ensureAscii: false },
  );
  const before = thought === undefined ? "" : `Thought:\n${thought}\n`;
  return `${before}${marker}\n${json}`;
}

function respondAction(content: string): ToolAction {
  return { name: RESPOND, arguments: new Map([["content", content]]) };
}

function toReading(
  value: ReadonlyMap<string, JsonValue>,
  index: number,
): Reading {
  const name = String(value.get("name"));
  const args = value.get("arguments");
  if (!(args instanceof Map)) return { problem: "The arguments are no object" };
  if (name !== RESPOND) {
    const id = `call${String(index).padStart(5, "0")}`;
    return { action: { type: "tool", call: { id, name, arguments: args } } };
  }
  const content = args.get("content");
  return typeof content === "string"
    ? { action: { type: "respond", content } }
    : { problem: `"${RESPOND}" needs the argument "content", a string` };
}

function problemOf(value: JsonValue | undefined): string | undefined {
  if (value === undefined) return "The action is not JSON";
  if (!(value instanceof Map)) return "The action is no JSON object";
  if (typeof value.get("name") !== "string") {
    return 'The action has no "name"';
  }
  return value.get("arguments") instanceof Map
    ? undefined
    : 'The action has no "arguments" object';
}

/** The JSON value that a text begins with; `undefined` if it begins with none. */
function parseObject(text: string): JsonValue | undefined {
  const unfenced = text.replace(/^```(?:json)?\s*/i, "")
    .replace(/^(\{\s*"name"\s*:\s*)respond\b/, '$1"respond"');
  return tryParse(unfenced) ?? tryParse(firstObject(unfenced));
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/** From the first brace to the one that closes it. */
function firstObject(text: string): string {
  let depth = 0;
  let inString = false;
  const from = text.indexOf("{");
  if (from !== 0) return "";
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (inString) {
      if (character === "\\") i++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return text.slice(0, i + 1);
  }
  return "";
}
