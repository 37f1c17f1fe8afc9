/**
 * Implements the supervisor of the verify and reflection users: a model that judges the user's next message and, for the
 * reflection user, proposes a better message.
 */

import { fillPrompt } from "../prompts.ts";
import { stringRepr } from "../python/python_repr.ts";
import type { CallOptions, Message } from "../types.ts";
import type { UserConversation } from "./_model_user.ts";
import { withoutReasoning } from "./_spoken.ts";

/** A message for the supervisor to judge. */
export interface JudgedMessage {
  /** The conversation before the message, from the user's side. */
  readonly messages: readonly Message[];
  readonly response: string;
  readonly compat: boolean;
}

/** Asks the supervisor whether a message is acceptable. An unclear answer counts as no. */
export async function isAcceptable(
  conversation: UserConversation,
  judged: JudgedMessage,
  options: CallOptions,
): Promise<boolean> {
  const verdict = await consult(
    conversation,
    conversation.prompts.user.verify,
    judged,
    options,
  );
  if (judged.compat) return verdict.toLowerCase().includes("true");
  const [first] = withoutReasoning(verdict).match(/\b(?:true|false)\b/i) ?? [];
  return first?.toLowerCase() === "true";
}

/**
 * The text that clarifies τ-bench's prompt for a reflection: the prompt asks for true or false in one sentence, and for
 * a message in another.
 */
const WANTED =
  "\n\nWhat is wanted is a reflection and a response in this format, not a classification.";

/** Asks the supervisor for its thoughts on a message. The thoughts should contain a better message. */
export function reflectOn(
  conversation: UserConversation,
  judged: JudgedMessage,
  options: CallOptions,
): Promise<string> {
  const { reflect } = conversation.prompts.user;
  const template = judged.compat ? reflect : reflect + WANTED;
  return consult(conversation, template, judged, options);
}

/**
 * Approximates how τ-bench's verify user represents a message in its prompt. By mistake, τ-bench prints the message
 * object instead of its text.
 */
export function messageRepr(content: string): string {
  return `Message(content=${
    stringRepr(content)
  }, role='assistant', tool_calls=None, function_call=None)`;
}

function consult(
  conversation: UserConversation,
  template: string,
  judged: JudgedMessage,
  options: CallOptions,
): Promise<string> {
  const content = fillPrompt(template, {
    transcript: transcriptOf(conversation, judged),
    response: judged.response,
  });
  return conversation.ask([{ role: "user", content }], options);
}

/**
 * Formats the conversation as a transcript. In the messages, the agent has the role `user`. τ-bench labels speakers by
 * that role, so its supervisor confuses the two; this function swaps the labels unless `compat` is set.
 */
function transcriptOf(
  { prompts }: UserConversation,
  { messages, compat }: JudgedMessage,
): string {
  const labels = prompts.user.roleLabels;
  return messages.map(({ role, content }) => {
    const seen = compat ? role : OTHER_SIDE[role] ?? role;
    return `${labels[seen] ?? capitalized(role)}: ${content}`;
  }).join("\n");
}

const OTHER_SIDE: Readonly<Record<string, string>> = {
  user: "assistant",
  assistant: "user",
};

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
