/**
 * Actions as text, as the act and react agents write them:
 *
 *     Thought:
 *     The order is pending, so it can be cancelled.
 *     Action:
 *     {"name": "cancel_pending_order", "arguments": {"order_id": "#W1", "reason": "no longer needed"}}
 *
 * @see sierra-research/tau-bench, `tau_bench/agents/chat_react_agent.py`. Differs: an answer that cannot be read
 * is a mistake to recover from; the original says it to the user, broken JSON and thoughts alike.
 */

import { DataError } from "../errors.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../python/python_json.ts";
import type { Action, ToolAction } from "../types.ts";
import type { Reading } from "./_chat_session.ts";

/** The name by which a text action speaks to the user. */
export const RESPOND = "respond";

/** How text actions are set off. */
export interface TextActionStyle {
  /** What stands before an action: `Action:`. */
  readonly marker: string;
  /**
   * Read strict JSON only, and say to the user what is none, as τ-bench does. Default: the model is told
   * what is wrong, and may try again.
   */
  readonly compat?: boolean;
}

/**
 * Reads the action after the last marker. Forgives what leaves no doubt: a code fence around the JSON, text
 * after it, a marker within its strings, and `respond` without quotes, as τ-bench's own prompt has it.
 * @param index Which answer of the conversation it is; the call's id is made of it.
 */
export function readTextAction(
  text: string,
  { marker, compat = false, index }: TextActionStyle & { index: number },
): Reading {
  const at = text.lastIndexOf(marker);
  const body = text.slice(at < 0 ? 0 : at + marker.length).trim();
  const value = compat ? tryParse(body) : parseForgiving(body);
  if (compat && value === undefined) {
    return { action: { type: "respond", content: body } };
  }
  const reading = toReading(value, index);
  if ("action" in reading) return reading;
  const around = compat ? undefined : parseAround(text, { marker, at });
  if (around !== undefined) return toReading(around, index);
  const problem = at < 0 && value === undefined
    ? `There is no "${marker}" in the answer`
    : reading.problem;
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

function toReading(value: JsonValue | undefined, index: number): Reading {
  if (value === undefined) return { problem: "The action is not JSON" };
  if (!(value instanceof Map)) {
    return { problem: "The action is no JSON object" };
  }
  const name = value.get("name");
  const args = value.get("arguments");
  if (typeof name !== "string") return { problem: 'The action has no "name"' };
  if (!(args instanceof Map)) {
    return { problem: 'The action has no "arguments" object' };
  }
  if (name === RESPOND) return toWords(args);
  const id = `call${String(index).padStart(5, "0")}`;
  return { action: { type: "tool", call: { id, name, arguments: args } } };
}

function toWords(args: JsonObject): Reading {
  const content = args.get("content");
  return typeof content === "string"
    ? { action: { type: "respond", content } }
    : { problem: `"${RESPOND}" needs the argument "content", a string` };
}

/** The JSON value that a text begins with; `undefined` if it begins with none. */
function parseForgiving(text: string): JsonValue | undefined {
  const unfenced = text.replace(/^```(?:json)?\s*/i, "")
    .replace(/^(\{\s*"name"\s*:\s*)respond\b/, '$1"respond"');
  return tryParse(unfenced) ?? tryParse(firstObject(unfenced));
}

/** So many markers before the last one are looked at: each may cost a pass over the text. */
const MAX_MARKERS = 32;

/**
 * The object that holds the last marker, which stands at `at`, in one of its strings: an agent may tell a
 * user of an `Action: `. What was written before the last marker and ended there is taken back, and no action.
 */
function parseAround(
  text: string,
  { marker, at }: { marker: string; at: number },
): JsonValue | undefined {
  for (let from = at, seen = 0; from > 0 && seen < MAX_MARKERS; seen++) {
    from = text.lastIndexOf(marker, from - 1);
    if (from < 0) return undefined;
    const body = text.slice(from + marker.length);
    // Up to the last marker it has to be a beginning only, or it is an action of its own.
    const before = body.slice(0, at - from - marker.length);
    if (parseForgiving(before.trim()) !== undefined) return undefined;
    const value = parseForgiving(body.trim());
    if (value !== undefined) return value;
  }
  return undefined;
}

function tryParse(text: string): JsonValue | undefined {
  try {
    return parsePythonJson(text);
  } catch (error) {
    if (error instanceof DataError) return undefined;
    throw error;
  }
}

/** From the brace that a text begins with to the one that closes it; empty if there is none. */
function firstObject(text: string): string {
  if (!text.startsWith("{")) return "";
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '"') i = stringEnd(text, i);
    else if (character === "{") depth++;
    else if (character === "}" && --depth === 0) return text.slice(0, i + 1);
  }
  return "";
}

/** Where the string that begins at `at` ends. */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}
