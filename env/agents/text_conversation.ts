/**
 * Conversations of tool calls, told again in text actions: what shows an act or react agent how it is done.
 *
 * @module
 */

import type { Action, Dataset, Message } from "../types.ts";
import {
  textObservation,
  type TextStrategy,
  textSystemPrompt,
} from "./text.ts";
import { writeTextAction } from "./text_action.ts";
import type { PromptStyle } from "./tool_calling.ts";

/** Settings of {@linkcode textConversation}. */
export interface TextConversationOptions {
  readonly dataset: Dataset;
  readonly strategy: TextStrategy;
  readonly prompt: PromptStyle;
}

/**
 * The conversation as the text agent of the strategy would have held it, message by message. What was said
 * beside a call is the thought before it; the other thoughts say what is done next.
 */
export function textConversation(
  messages: readonly Message[],
  { dataset, strategy, prompt }: TextConversationOptions,
): Message[] {
  const { actionMarker, observationPrefix } = dataset.prompts().agent;
  const told = messages.filter(({ role }) => role !== "system").map(
    (message): Message => {
      if (message.role === "tool") {
        return textObservation(observationPrefix, message.content);
      }
      if (message.role !== "assistant") return message;
      const action = actionOf(message);
      const style = strategy === "act"
        ? { marker: actionMarker }
        : { marker: actionMarker, thought: thoughtOf(action, message.content) };
      return { role: "assistant", content: writeTextAction(action, style) };
    },
  );
  if (prompt === "none") return told;
  const content = textSystemPrompt(dataset, strategy);
  return [{ role: "system", content }, ...told];
}

function actionOf(
  { content, toolCalls = [] }: Message & { role: "assistant" },
): Action {
  const [call] = toolCalls;
  return call === undefined
    ? { type: "respond", content }
    : { type: "tool", call };
}

function thoughtOf(action: Action, beside: string): string {
  if (action.type === "respond") return "the customer is next.";
  const what = action.call.name.replaceAll("_", " ");
  return beside === "" ? `next: ${what}.` : `${beside} next: ${what}.`;
}
