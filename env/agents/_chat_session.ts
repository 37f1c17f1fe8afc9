/** An agent's episode with a chat model, whatever the form of its answers. */

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

/** What an answer says: an action, or why there is none, in words for the model to recover by. */
export type Reading =
  | { readonly action: Action }
  | { readonly problem: string };

/** How a strategy reads answers, and shows what came of them. */
export interface AnswerForm {
  /** The answer as it stays in the conversation. */
  answer(reply: ChatReply): Extract<Message, { role: "assistant" }>;
  read(reply: ChatReply): Reading;
  observation(observation: Observation, action: Action): Message;
  /** An action as an answer would have it. */
  written(action: Action): Message;
}

/** What a conversation begins with, and turns that were taken in it before. */
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

/** An episode: what the model has not seen yet goes out, its answer is read, and mistakes are answered. */
export class ChatSession implements AgentSession {
  readonly #chat: Chat;
  readonly #form: AnswerForm;
  readonly #messages: Message[];
  /** How many of the messages the chat has seen or said. */
  #sent = 0;
  #action: Action | null = null;
  /** Calls of the last answer that are still to be told as actions. */
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

  /** Tells the model what was wrong; as a user, since there is no call that a tool could answer. */
  #recover(message: string): AgentStep {
    this.#messages.push({ role: "user", content: `Error: ${message}` });
    return { type: "parse_error", message };
  }
}
