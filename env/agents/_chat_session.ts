/** Runs an agent's session with a chat model, for any format of the model's answers. */

import type {
  Action,
  AgentSession,
  AgentStep,
  CallOptions,
  Chat,
  ChatReply,
  Message,
  Observation,
  ToolCall,
  Turn,
  Usage,
} from "../types.ts";
import type { Trajectory } from "../tokens/trajectory.ts";
import { addUsage, NO_USAGE } from "../models/usage.ts";

/**
 * A model's parsed answer: an action, or a message that describes the problem with the answer and helps the model
 * correct it.
 */
export type ParsedAnswer =
  | { readonly action: Action }
  | { readonly problem: string };

/** The format of an agent's actions: how answers are parsed, and how observations are shown. */
export interface AnswerForm {
  /** Converts a model's answer to the message that is kept in the conversation. */
  answer(reply: ChatReply): Extract<Message, { role: "assistant" }>;
  read(reply: ChatReply): ParsedAnswer;
  observation(observation: Observation, action: Action): Message;
  /** Returns the message that a model would write to take the action. */
  written(action: Action): Message;
}

/** Returns the opening messages of a conversation, followed by the messages of the earlier turns. */
export function withHistory(
  opening: readonly Message[],
  { history = [], form }: {
    readonly history?: readonly Turn[] | undefined;
    readonly form: AnswerForm;
  },
): Message[] {
  const told = history.flatMap(({ action, observation }) => [
    form.written(action),
    form.observation(observation, action),
  ]);
  return [...opening, ...told];
}

/** A session that sends new messages to the model, reads its answers and reports mistakes back to it. */
export class ChatSession implements AgentSession {
  readonly #chat: Chat;
  readonly #form: AnswerForm;
  readonly #messages: Message[];
  /** The number of messages that the chat has received or produced. */
  #sent = 0;
  #action: Action | null = null;
  /** The calls in the last answer that have not been returned as actions yet. */
  #calls: readonly ToolCall[] = [];
  #usage = NO_USAGE;

  constructor(chat: Chat, opening: readonly Message[], form: AnswerForm) {
    this.#chat = chat;
    this.#messages = [...opening];
    this.#form = form;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  get trajectory(): Trajectory | undefined {
    return this.#chat.trajectory;
  }

  get usage(): Usage {
    return this.#usage;
  }

  async act(options: CallOptions = {}): Promise<AgentStep> {
    const [call, ...rest] = this.#calls;
    if (call !== undefined) {
      this.#calls = rest;
      this.#action = { type: "tool", call };
      return { type: "action", action: this.#action };
    }
    const unsent = this.#messages.slice(this.#sent);
    const reply = await this.#chat.send(unsent, options);
    this.#usage = addUsage(this.#usage, reply.usage ?? NO_USAGE);
    const { thought, opaque } = reply;
    this.#messages.push({
      ...this.#form.answer(reply),
      ...(thought === undefined ? {} : { thought }),
      ...(opaque === undefined ? {} : { opaque }),
    });
    this.#sent = this.#messages.length;
    if (reply.finishReason === "length") return { type: "out_of_tokens" };
    const reading = reply.parseError === undefined
      ? this.#form.read(reply)
      : { problem: reply.parseError };
    if ("problem" in reading) return this.#recover(reading.problem);
    const { action } = reading;
    this.#action = action;
    this.#calls = action.type === "tool" ? action.beside ?? [] : [];
    return { type: "action", action };
  }

  observe(observation: Observation): void {
    if (this.#action === null) {
      throw new TypeError("Cannot observe: the agent has not acted yet");
    }
    this.#messages.push(this.#form.observation(observation, this.#action));
  }

  close(): void {
    this.#chat.close();
  }

  /**
   * Adds a user message that tells the model what was wrong. A tool message is not possible, because there is no call
   * that it could refer to.
   */
  #recover(message: string): AgentStep {
    this.#messages.push({ role: "user", content: `Error: ${message}` });
    return { type: "parse_error", message };
  }
}
