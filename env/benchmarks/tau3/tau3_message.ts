/**
 * Defines the messages in τ³-bench's conversations: the messages of two participants with tools, and the results of
 * their calls.
 */

import { z } from "zod";
import {
  Float,
  type JsonObject,
  type JsonValue,
} from "../../python/python_value.ts";
import {
  anyObject,
  objectOf,
  plainNumber,
} from "../../python/python_schema.ts";
import { trim } from "../../python/python_space.ts";
import type { ToolCall } from "../../types.ts";

/** The participant that calls a tool, identified by the role of that participant's messages. */
export type Requestor = "assistant" | "user";

/** A tool call and its requestor. */
export interface Tau3Call extends ToolCall {
  readonly requestor: Requestor;
}

/** A participant's message: text, calls, or both. */
export interface ParticipantMessage {
  readonly role: Requestor;
  readonly content: string | null;
  /** The calls; `null` if the message has none. */
  readonly toolCalls: readonly Tau3Call[] | null;
  /** The message's cost in US dollars; `null` if unknown. */
  readonly cost: number | null;
}

/** A message with the result of a tool call. */
export interface ToolMessage {
  readonly role: "tool";
  /** The id of the call. */
  readonly id: string;
  readonly content: string | null;
  readonly requestor: Requestor;
  readonly error: boolean;
}

/** A message in a conversation: a participant's message, or the result of a tool call. */
export type Tau3Message = ParticipantMessage | ToolMessage;

const requestor = z.enum(["assistant", "user"]);

const callSchema = objectOf({
  id: z.string().default(""),
  name: z.string(),
  arguments: anyObject,
  requestor: requestor.default("assistant"),
});

const participantSchema = objectOf({
  role: requestor,
  content: z.string().nullish(),
  tool_calls: z.array(callSchema).nullish(),
  cost: plainNumber.nullish(),
}).transform(({ role, content, tool_calls, cost }): ParticipantMessage => ({
  role,
  content: content ?? null,
  toolCalls: tool_calls ?? null,
  cost: cost ?? null,
}));

const toolSchema = objectOf({
  role: z.literal("tool"),
  id: z.string(),
  content: z.string().nullish(),
  requestor: requestor.default("assistant"),
  error: z.boolean().default(false),
}).transform((message): ToolMessage => ({
  ...message,
  content: message.content ?? null,
}));

/** The schema of a message in upstream's format. Unknown fields are dropped. */
export const tau3MessageSchema = z.union([toolSchema, participantSchema]);

/** Converts a message to upstream's format, without the cost. If there are no calls, `tool_calls` is omitted. */
export function messageObject(message: Tau3Message): JsonObject {
  if (message.role === "tool") {
    const { role, id, content, requestor, error } = message;
    return new Map<string, JsonValue>(
      Object.entries({ role, id, content, requestor, error }),
    );
  }
  const { role, content, toolCalls } = message;
  const object: JsonObject = new Map<string, JsonValue>([
    ["role", role],
    ["content", content],
  ]);
  if (toolCalls !== null) object.set("tool_calls", toolCalls.map(callObject));
  return object;
}

function callObject(
  { id, name, arguments: args, requestor }: Tau3Call,
): JsonObject {
  return new Map<string, JsonValue>([
    ["id", id],
    ["name", name],
    ["arguments", args],
    ["requestor", requestor],
  ]);
}

/** Checks whether a message has text that is not blank. */
export function hasText({ content }: ParticipantMessage): boolean {
  return content !== null && trim(content) !== "";
}

/** Returns the calls of both participants in the given messages, in order. */
export function callsIn(messages: readonly Tau3Message[]): Tau3Call[] {
  return messages.flatMap((message) =>
    message.role === "tool" ? [] : message.toolCalls ?? []
  );
}

/** Converts a number so that it prints as a Python float, even if it is an integer. */
export function asFloat(value: number): number | Float {
  return Number.isInteger(value) ? new Float(value) : value;
}
