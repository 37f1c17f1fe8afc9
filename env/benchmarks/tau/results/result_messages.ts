/**
 * Converts a conversation that τ-bench recorded to the format of the episode store: messages and the agent's turns,
 * with tool calls or text actions.
 *
 * @see sierra-research/tau-bench at 59a200c, tau_bench/agents/tool_calling_agent.py and chat_react_agent.py.
 */

import { readTextAction } from "../../../agents/text_action.ts";
import {
  type JsonObject,
  type JsonValue,
  parsePythonJson,
} from "../../../python/python_json.ts";
import type { Action } from "../../../types.ts";
import { mapOf, objectsOf, textOf } from "../../results/loose_json.ts";

/** The prefix of an action in conversations with the act and react agents. */
const MARKER = "Action:";
/** The prefix of a tool result in these conversations. */
const API_OUTPUT = "API output: ";

/** Converts a message from the format of OpenAI's API to taulab's. */
export function messageOf(message: JsonObject): JsonObject {
  const out: JsonObject = new Map<string, JsonValue>([
    ["role", textOf(message, "role")],
    ["content", textOf(message, "content")],
  ]);
  if (message.has("name")) out.set("name", textOf(message, "name"));
  const calls = objectsOf(message.get("tool_calls"));
  if (calls.length > 0) out.set("toolCalls", calls.map(callOf));
  return out;
}

/** Returns the user's last message before the agent's first message, or an empty string if there is none. */
export function openingOf(messages: readonly JsonObject[]): string {
  const first = messages.findIndex((message) =>
    message.get("role") === "assistant"
  );
  const opening = messages.slice(0, first < 0 ? messages.length : first)
    .findLast((message) => message.get("role") === "user");
  return opening === undefined ? "" : textOf(opening, "content");
}

/**
 * Pairs each agent message with the message after it, which answers it. As in τ-bench, only the first call in a message
 * counts.
 */
export function turnsIn(messages: readonly JsonObject[]): JsonObject[] {
  const isText = actsByText(messages);
  return messages.flatMap((message, i) => {
    if (message.get("role") !== "assistant") return [];
    const answer = messages[i + 1];
    const action = isText
      ? textAction(textOf(message, "content"), i)
      : actionOf(message);
    const isCall = action.get("type") === "tool";
    const content = answer === undefined ? "" : textOf(answer, "content");
    return [
      new Map<string, JsonValue>([
        ["action", action],
        [
          "observation",
          new Map<string, JsonValue>([
            ["source", isCall ? "tool" : "user"],
            [
              "content",
              isCall && isText && content.startsWith(API_OUTPUT)
                ? content.slice(API_OUTPUT.length)
                : content,
            ],
            ["done", false],
          ]),
        ],
      ]),
    ];
  });
}

/**
 * Checks whether the agent wrote its calls as text: no message has tool calls, and at least one message has the action
 * marker.
 */
function actsByText(messages: readonly JsonObject[]): boolean {
  const isCalling = messages.some((message) =>
    message.get("role") === "tool" ||
    objectsOf(message.get("tool_calls")).length > 0
  );
  return !isCalling &&
    messages.some((message) =>
      message.get("role") === "assistant" &&
      textOf(message, "content").includes(MARKER)
    );
}

function actionOf(message: JsonObject): JsonObject {
  const [call] = objectsOf(message.get("tool_calls"));
  return call === undefined
    ? respond(textOf(message, "content"))
    : new Map<string, JsonValue>([["type", "tool"], ["call", callOf(call)]]);
}

function textAction(text: string, index: number): JsonObject {
  const reading = readTextAction(text, { marker: MARKER, compat: true, index });
  const action: Action = "action" in reading
    ? reading.action
    : { type: "respond", content: text };
  if (action.type === "respond") return respond(action.content);
  const { id, name, arguments: args } = action.call;
  return new Map<string, JsonValue>([
    ["type", "tool"],
    [
      "call",
      new Map<string, JsonValue>([["id", id], ["name", name], [
        "arguments",
        args,
      ]]),
    ],
  ]);
}

function respond(content: string): JsonObject {
  return new Map([["type", "respond"], ["content", content]]);
}

function callOf(call: JsonObject): JsonObject {
  const called = mapOf(call.get("function"));
  const args = called.get("arguments");
  return new Map<string, JsonValue>([
    ["id", textOf(call, "id")],
    ["name", textOf(called, "name")],
    [
      "arguments",
      args instanceof Map ? args : argumentsOf(textOf(called, "arguments")),
    ],
  ]);
}

/** Parses a call's arguments. A model may write invalid JSON, which is returned as text. */
function argumentsOf(text: string): JsonValue {
  try {
    return parsePythonJson(text);
  } catch {
    return text;
  }
}
