/** Converts recorded conversations to training sequences, as if the policy had sampled the answers. */

import type { Message, ToolSchema } from "../types.ts";
import { type Codec, TokenConversation } from "./conversation.ts";
import type { Trajectory } from "./trajectory.ts";

/** Options for {@linkcode demonstrationTrajectory}. */
export interface DemonstrationOptions extends Codec {
  /** The conversation, including the system message if the policy should see it. */
  readonly messages: readonly Message[];
  /** The tools to show in the prompt. Default: none. */
  readonly tools?: readonly ToolSchema[];
}

/**
 * Creates the training sequence of a demonstration in the same way as rollouts: the ids equal those of a rollout in
 * which the policy gives the same answers. The loss mask is 1 for each answer and its end token. All log probabilities
 * are 0. Messages after the last answer are dropped, since a policy would never see them.
 * @throws {PolicyError} If the template rejects the messages.
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
