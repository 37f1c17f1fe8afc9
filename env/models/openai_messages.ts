/** Converts messages to OpenAI's chat format. */

import type OpenAI from "openai";
import { printPythonJson } from "../python/python_json.ts";
import type { Message, ToolCall } from "../types.ts";
import type { ApiAnswer } from "./opaque_fields.ts";

/** A message in OpenAI's format. */
export type ApiMessage = OpenAI.Chat.ChatCompletionMessageParam;

/** Converts a message to OpenAI's format. */
export function toApiMessage(message: Message): ApiMessage {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.content };
    case "tool":
      return {
        role: "tool",
        tool_call_id: message.toolCallId,
        content: message.content,
      };
    case "assistant":
      return answerMessage(message.content, message.toolCalls ?? []);
  }
}

/** Converts an answer to OpenAI's format. If it has calls but no text, the content is `null`. */
export function answerMessage(
  content: string,
  toolCalls: readonly ToolCall[],
): ApiAnswer {
  if (toolCalls.length === 0) return { role: "assistant", content };
  return {
    role: "assistant",
    content: content === "" ? null : content,
    tool_calls: toolCalls.map(({ id, name, arguments: args }) => ({
      id,
      type: "function",
      function: {
        name,
        arguments: printPythonJson(args, { ensureAscii: false }),
      },
    })),
  };
}
