/** Converts a participant's history to the chat messages that are sent to its model, in upstream's format. */

import { printPythonJson } from "../../python/python_json.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { Tau3Call, Tau3Message } from "./tau3_message.ts";

/** Converts the agent's history to chat messages, without the system prompt. */
export function agentRequest(history: readonly Tau3Message[]): JsonObject[] {
  return history.map((message) => chatMessage(message, "assistant"));
}

/**
 * Converts the user's history to chat messages. Roles are swapped, because the user's model has the role of the
 * assistant.
 */
export function userRequest(history: readonly Tau3Message[]): JsonObject[] {
  return history.map((message) => chatMessage(message, "user"));
}

function chatMessage(
  message: Tau3Message,
  self: "assistant" | "user",
): JsonObject {
  const { content } = message;
  if (message.role === "tool") {
    return record({ role: "tool", content, tool_call_id: message.id });
  }
  if (message.role !== self) return record({ role: "user", content });
  const { toolCalls } = message;
  const calls = toolCalls === null ? null : toolCalls.map(callObject);
  return record({ role: "assistant", content, tool_calls: calls });
}

function callObject({ id, name, arguments: args }: Tau3Call): JsonObject {
  return record({
    id,
    name,
    function: record({ name, arguments: printPythonJson(args) }),
    type: "function",
  });
}

function record(members: Readonly<Record<string, JsonValue>>): JsonObject {
  return new Map(Object.entries(members));
}
