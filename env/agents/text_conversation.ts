/** Converts conversations with tool calls to text actions, as demonstrations for act and react agents. */

import type { Action, Dataset, Message, ToolCall } from "../types.ts";
import {
  textObservation,
  type TextStrategy,
  textSystemPrompt,
} from "./text.ts";
import { writeTextAction } from "./text_action.ts";
import type { PromptStyle } from "./tool_calling.ts";

/** Options for {@linkcode textConversation}. */
export interface TextConversationOptions {
  readonly dataset: Dataset;
  readonly strategy: TextStrategy;
  readonly prompt: PromptStyle;
}

/**
 * Converts a conversation, message by message, to the form of the strategy's text agent. The system message is
 * replaced, or removed if `prompt` is `none`. Text that accompanies a call becomes the start of the thought before the
 * call; with `act`, which has no thoughts, the text is dropped.
 */
export function textConversation(
  messages: readonly Message[],
  { dataset, strategy, prompt }: TextConversationOptions,
): Message[] {
  const { actionMarker, observationPrefix } = dataset.prompts().agent;
  let heard = "";
  function tell(message: Message): Message {
    if (message.role === "tool") {
      return textObservation(observationPrefix, message.content);
    }
    if (message.role !== "assistant") {
      heard = message.content;
      return message;
    }
    const action = actionOf(message);
    const style = strategy === "act"
      ? { marker: actionMarker }
      : { marker: actionMarker, thought: thoughtOf(message, heard) };
    return { role: "assistant", content: writeTextAction(action, style) };
  }
  const told = messages.filter(({ role }) => role !== "system").map(tell);
  if (prompt === "none") return told;
  const content = textSystemPrompt(dataset, strategy);
  return [{ role: "system", content }, ...told];
}

type Answer = Message & { readonly role: "assistant" };

function actionOf({ content, toolCalls = [] }: Answer): Action {
  const [call] = toolCalls;
  return call === undefined
    ? { type: "respond", content }
    : { type: "tool", call };
}

/**
 * Returns one line about the next action and the reason for it. There are few phrasings, so that a small policy learns
 * them in a few steps and a trained tokenizer needs only one token per phrasing.
 * @param heard The user's last message.
 */
function thoughtOf(
  { content, toolCalls: [call] = [] }: Answer,
  heard: string,
): string {
  if (call === undefined) {
    return content.includes("?") ? "ask the customer." : "tell the customer.";
  }
  const beside = content === "" ? "" : `${content} `;
  return `${beside}${reasonFor(call, heard)}: ${
    call.name.replaceAll("_", " ")
  }.`;
}

function reasonFor({ name }: ToolCall, heard: string): string {
  if (/^(get|find|list|search|calculate)/.test(name)) return "not known yet";
  return /\byes\b/i.test(heard) ? "the customer agreed" : "next";
}
