/**
 * Reads and writes actions as text, in the format of the act and react agents:
 *
 *     Thought:
 *     The order is pending, so it can be cancelled.
 *     Action:
 *     {"name": "cancel_pending_order", "arguments": {"order_id": "#W1", "reason": "no longer needed"}}
 *
 * @see sierra-research/tau-bench, `tau_bench/agents/chat_react_agent.py`. If an answer cannot be parsed, this
 * implementation tells the model why, and the model may correct it. τ-bench sends the answer to the user, including
 * broken JSON and thoughts.
 */

import { DataError } from "../errors.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../python/python_json.ts";
import type { Action, ToolAction } from "../types.ts";
import type { ParsedAnswer } from "./_chat_session.ts";

/** The name of the text action that sends a message to the user. */
export const RESPOND = "respond";

/** The style in which text actions are written and read. */
export interface TextActionStyle {
  /** The text that precedes an action, such as `Action:`. */
  readonly marker: string;
  /**
   * Whether to accept only strict JSON and to send text that is not JSON to the user, as τ-bench does. If false, the
   * model is told what is wrong and may correct its answer. Default: false.
   */
  readonly compat?: boolean;
}

/**
 * Parses the action after the last marker, or the whole text if there is no marker. Unless `compat` is set, tolerates
 * deviations that are unambiguous: a code fence around the JSON, text after the JSON, a marker within a string, and
 * `respond` without quotes, as in τ-bench's prompt.
 * @param index The index of the answer in the conversation. The call's id is derived from this index.
 */
export function readTextAction(
  text: string,
  { marker, compat = false, index }: TextActionStyle & { index: number },
): ParsedAnswer {
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

/** Formats an action as text, preceded by `thought` if there is one. */
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

function toReading(value: JsonValue | undefined, index: number): ParsedAnswer {
  if (value === undefined) return { problem: "The action is not JSON" };
  if (!(value instanceof Map)) {
    return { problem: "The action is not a JSON object" };
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

function toWords(args: JsonObject): ParsedAnswer {
  const content = args.get("content");
  return typeof content === "string"
    ? { action: { type: "respond", content } }
    : { problem: `"${RESPOND}" requires the argument "content", a string` };
}

/**
 * Parses JSON leniently: accepts a leading code fence, an unquoted `respond`, and text after an object. Returns
 * `undefined` if the text cannot be parsed.
 */
function parseForgiving(text: string): JsonValue | undefined {
  const unfenced = text.replace(/^```(?:json)?\s*/i, "")
    .replace(/^(\{\s*"name"\s*:\s*)respond\b/, '$1"respond"');
  return tryParse(unfenced) ?? tryParse(firstObject(unfenced));
}

/** The maximum number of earlier markers to examine. Each of them may require a pass over the text. */
const MAX_MARKERS = 32;

/**
 * Parses an object that contains the last marker (at the index `at`) within a string, as when an agent mentions
 * `Action:` to a user. Returns `undefined` if an object is complete before the last marker, because the last marker
 * then begins a new action.
 */
function parseAround(
  text: string,
  { marker, at }: { marker: string; at: number },
): JsonValue | undefined {
  for (let from = at, seen = 0; from > 0 && seen < MAX_MARKERS; seen++) {
    from = text.lastIndexOf(marker, from - 1);
    if (from < 0) return undefined;
    const body = text.slice(from + marker.length);
    // Before the last marker the object must be incomplete; otherwise it would be a separate action.
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

/** Returns the text of the JSON object at the start of a string, or an empty string if there is no complete object. */
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

/**
 * Returns the index of the quote that ends the string beginning at `at`, or the length of the text if there is none.
 */
function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === "\\") i++;
    else if (text[i] === '"') return i;
  }
  return text.length;
}
