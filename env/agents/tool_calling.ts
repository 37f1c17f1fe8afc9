/**
 * The tool-calling agent: a model that is told the policy and the tools, and answers with a call or with words.
 *
 * @module
 */

import type {
  Action,
  Agent,
  AgentSession,
  AgentStep,
  CallOptions,
  Chat,
  ChatModel,
  ChatReply,
  Dataset,
  Message,
  Observation,
} from "../types.ts";
import type { Trajectory } from "../tokens/trajectory.ts";

/**
 * What the prompt holds: `full` is the policy as system message and the tools; `none` nothing, for a policy
 * that learns both from demonstrations.
 */
export type PromptStyle = "full" | "none";

/** Settings of {@linkcode toolCallingAgent}. */
export interface ToolCallingOptions {
  readonly model: ChatModel;
  /** Default: `full`. */
  readonly prompt?: PromptStyle;
}

/**
 * Acts on the model's first tool call, one a turn; an answer without a call is said to the customer.
 * An answer that cannot be read is answered by a message that says why, and the model may try again.
 */
export function toolCallingAgent(options: ToolCallingOptions): Agent {
  const { model, prompt = "full" } = options;
  return {
    name: "tool-calling",
    model: model.name,
    start(start) {
      const chat = model.chat({
        tools: start.dataset.tools,
        toolsInPrompt: prompt === "full",
        seed: start.seed,
      });
      return new ToolCallingSession(chat, openingMessages(start, prompt));
    },
  };
}

/** The messages before the first answer. */
export function openingMessages(
  { dataset, firstMessage }: {
    readonly dataset: Pick<Dataset, "policy">;
    readonly firstMessage: string;
  },
  prompt: PromptStyle,
): Message[] {
  const user: Message = { role: "user", content: firstMessage };
  return prompt === "none"
    ? [user]
    : [{ role: "system", content: dataset.policy }, user];
}

class ToolCallingSession implements AgentSession {
  readonly #chat: Chat;
  readonly #messages: Message[];
  /** How many of the messages the chat has seen or said. */
  #sent = 0;
  #action: Action | null = null;

  constructor(chat: Chat, opening: Message[]) {
    this.#chat = chat;
    this.#messages = opening;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  get trajectory(): Trajectory | undefined {
    return this.#chat.trajectory;
  }

  async act(options: CallOptions = {}): Promise<AgentStep> {
    const unsent = this.#messages.slice(this.#sent);
    const reply = await this.#chat.send(unsent, options);
    this.#messages.push(answerOf(reply));
    this.#sent = this.#messages.length;
    if (reply.finishReason === "length") return { type: "out_of_tokens" };
    if (reply.parseError !== undefined) return this.#recover(reply.parseError);
    this.#action = actionOf(reply);
    return { type: "action", action: this.#action };
  }

  observe({ source, content }: Observation): void {
    if (source === "tool" && this.#action?.type === "tool") {
      const { id, name } = this.#action.call;
      this.#messages.push({ role: "tool", name, toolCallId: id, content });
    } else {
      this.#messages.push({ role: "user", content });
    }
  }

  close(): void {
    this.#chat.close();
  }

  /** Tells the model what was wrong; as a user, since there is no call that a tool could answer. */
  #recover(message: string): AgentStep {
    this.#messages.push({ role: "user", content: `Error: ${message}` });
    return { type: "parse_error", message };
  }
}

/** The answer as a message. Only the first call is kept: it alone is acted on and answered. */
function answerOf({ content, toolCalls }: ChatReply): Message {
  return toolCalls.length === 0
    ? { role: "assistant", content }
    : { role: "assistant", content, toolCalls: toolCalls.slice(0, 1) };
}

function actionOf({ content, toolCalls }: ChatReply): Action {
  const [call] = toolCalls;
  return call === undefined
    ? { type: "respond", content }
    : { type: "tool", call };
}
