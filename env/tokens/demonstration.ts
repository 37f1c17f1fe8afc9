/** Turns a conversation that someone else held into what a policy would have sampled to hold it. */

import type { Message, ToolSchema } from "../types.ts";
import { type Codec, TokenConversation } from "./conversation.ts";
import type { Trajectory } from "./trajectory.ts";

/** What to make a training sequence of. */
export interface DemonstrationOptions extends Codec {
  /** The conversation, with the system message if the policy is to see one. */
  readonly messages: readonly Message[];
  /** The tools that the prompt shows. Default: none. */
  readonly tools?: readonly ToolSchema[];
}

/**
 * The training sequence of a demonstration, by the path that rollouts take: the same ids that a policy sees
 * and samples when it gives the same answers. Mask 1 on each answer with its end token; logprobs are 0.
 * What follows the last answer is left out, as it is never shown to a policy.
 * @throws {PolicyError} If the template refuses the messages.
 */
export function demonstrationTrajectory(
  options: DemonstrationOptions,
): Trajectory {
  const { template, tokenizer, messages, tools = [] } = options;
  const conversation = new TokenConversation(options, tools);
  let context: Message[] = [];
  for (const message of messages) {
    if (message.role !== "assistant") {
      context.push(message);
      continue;
    }
    conversation.appendPrompt(conversation.prompt(context));
    const ids = tokenizer.encode(template.answer(message));
    const logprobs = ids.map(() => 0);
    conversation.appendAnswer(message, { ids, logprobs });
    context = [];
  }
  return conversation.trajectory;
}
