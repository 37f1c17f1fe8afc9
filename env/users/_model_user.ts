/**
 * Implements the parts that all simulated users with a model share: the conversation from the user's side, usage, and a
 * limit on repeated requests.
 *
 * In the model's conversation, the agent has the role `user`, and the simulated user the role `assistant`.
 */

import { InfrastructureError } from "../errors.ts";
import { fillPrompt } from "../prompts.ts";
import { deriveSeed } from "../random.ts";
import {
  type CallOptions,
  type ChatModel,
  type ChatReply,
  type Dataset,
  type Message,
  type Prompts,
  STOP,
  type Task,
  type Usage,
  type User,
  type UserFactory,
} from "../types.ts";
import { addUsage, NO_USAGE } from "../models/usage.ts";
import { labelled } from "./_label.ts";
import { saysMoreThanStop, withoutStop } from "./_spoken.ts";

/** The maximum number of requests for one usable answer. */
const MAX_ASKS = 3;

/** Settings for users that a model plays. */
export interface ModelUserOptions {
  /** The dataset, which provides the prompts and may have its own conversation rules. */
  readonly dataset: Pick<Dataset, "prompts" | "rules">;
  readonly model: ChatModel;
  /** Whether to reproduce τ-bench's user exactly, including its errors. Default: false. */
  readonly compat?: boolean;
}

/** A message of the user, and its record in the conversation of the user's model. */
export interface Utterance {
  /** The message that the agent receives. */
  readonly message: string;
  /** The message that is recorded in the conversation of the user's model; `null` if no message is recorded. */
  readonly recorded: string | null;
}

/** A function that asks a model for the user's next message. */
export type Speak = (
  conversation: UserConversation,
  options: CallOptions,
) => Promise<Utterance>;

/**
 * Creates a factory of users with a given strategy.
 * @param strategy The strategy's name. In records, it precedes the model's name.
 * @param system Selects the system prompt.
 */
export function modelUser(
  options: ModelUserOptions,
  { strategy, system, speak }: {
    strategy: string;
    system: (prompts: Prompts) => string;
    speak: Speak;
  },
): UserFactory {
  const label = `${strategy} ${options.model.name}`;
  return labelled(label, (task, { seed }) => {
    const prompts = options.dataset.prompts();
    const conversation = new UserConversation(options.model, { prompts, seed });
    conversation.note({
      role: "system",
      content: instructed(system(prompts), { prompts, task }),
    });
    const { compat = false } = options;
    return new ModelUser(conversation, { speak, compat });
  });
}

/** The conversation from the user's point of view, and the user's model. */
export class UserConversation {
  readonly prompts: Prompts;
  usage: Usage = NO_USAGE;
  readonly #model: ChatModel;
  readonly #seed: number;
  readonly #messages: Message[] = [];
  #calls = 0;

  constructor(
    model: ChatModel,
    { prompts, seed }: { prompts: Prompts; seed: number },
  ) {
    this.#model = model;
    this.prompts = prompts;
    this.#seed = seed;
  }

  get messages(): readonly Message[] {
    return this.#messages;
  }

  note(message: Message): void {
    this.#messages.push(message);
  }

  /**
   * Returns `words`, or `undefined` if they are the user's first message and contain the stop token but no other words.
   */
  sayable(words: string | undefined): string | undefined {
    const isFirst = this.#messages.every(({ role }) => role !== "assistant");
    const leaves = words?.includes(STOP) && !saysMoreThanStop(words);
    return isFirst && leaves ? undefined : words;
  }

  /**
   * Asks the model, with a different seed per call.
   * @throws {InfrastructureError} If the model fails, with the source `user`.
   */
  async ask(
    messages: readonly Message[],
    options: CallOptions,
  ): Promise<string> {
    return (await this.#reply(messages, options)).content;
  }

  async #reply(
    messages: readonly Message[],
    options: CallOptions,
  ): Promise<ChatReply> {
    const seed = deriveSeed(this.#seed, "customer", this.#calls++);
    const chat = this.#model.chat({ tools: [], seed });
    try {
      const reply = await chat.send(messages, options);
      this.usage = addUsage(this.usage, reply.usage ?? NO_USAGE);
      return reply;
    } catch (error) {
      throw asUserFailure(error);
    } finally {
      chat.close();
    }
  }

  /**
   * Asks for the user's next message until `read` accepts one that was not truncated.
   * @throws {InfrastructureError} After 3 unusable answers, with the kind `bad_response`. The fault is the simulator's,
   * so the episode is not scored.
   */
  async askFor<T>(
    read: (text: string) => T | undefined,
    options: CallOptions,
  ): Promise<T> {
    let [text, isCut] = ["", false];
    for (let i = 0; i < MAX_ASKS; i++) {
      const reply = await this.#reply(this.#messages, options);
      text = reply.content;
      // A truncated message does not count.
      isCut = reply.finishReason === "length";
      const value = isCut ? undefined : read(text);
      if (value !== undefined) return value;
    }
    throw badResponse(text, { isCut });
  }
}

/** Creates the error for an unusable message from the simulator. */
export function badResponse(
  text: string,
  { isCut = false }: { readonly isCut?: boolean } = {},
): InfrastructureError {
  const isEmpty = text.trim() === "";
  const shown = isEmpty ? "" : `: "${text.slice(0, 80)}"`;
  const message = isCut
    ? `The answer of the user's model was cut off at its token limit${shown}`
    : isEmpty
    ? "The user's model returned an empty answer"
    : `The user's model did not answer in the required format${shown}`;
  return new InfrastructureError(message, {
    kind: "bad_response",
    source: "user",
    hint: isCut
      ? "raise the maximum number of tokens of the user's answers, or use another model"
      : "use another model or strategy",
  });
}

class ModelUser implements User {
  readonly #conversation: UserConversation;
  readonly #speak: Speak;
  readonly #compat: boolean;
  #wantedToStop = false;

  constructor(
    conversation: UserConversation,
    { speak, compat }: { speak: Speak; compat: boolean },
  ) {
    this.#conversation = conversation;
    this.#speak = speak;
    this.#compat = compat;
  }

  get usage(): Usage {
    return this.#conversation.usage;
  }

  open(options: CallOptions = {}): Promise<string> {
    return this.reply(
      this.#conversation.prompts.user.firstAgentMessage,
      options,
    );
  }

  async reply(heard: string, options: CallOptions = {}): Promise<string> {
    this.#conversation.note({ role: "user", content: heard });
    const utterance = await this.#speak(this.#conversation, options);
    const { message, recorded } = this.#compat
      ? utterance
      : this.#withoutEarlyStop(utterance);
    if (recorded !== null) {
      this.#conversation.note({ role: "assistant", content: recorded });
    }
    return message;
  }

  /**
   * Delays a stop token that is accompanied by other words. τ-bench ends the conversation at the token, so the agent
   * never sees a "yes, do it" in the same message. This implementation sends the words without the token the first
   * time; the next token ends the conversation.
   */
  #withoutEarlyStop({ message, recorded }: Utterance): Utterance {
    if (this.#wantedToStop || !saysMoreThanStop(message)) {
      return { message, recorded };
    }
    this.#wantedToStop = true;
    return {
      message: withoutStop(message),
      recorded: recorded === null ? null : withoutStop(recorded),
    };
  }
}

function instructed(
  template: string,
  { prompts, task }: { prompts: Prompts; task: Task },
): string {
  return fillPrompt(template, {
    instruction_display: fillPrompt(prompts.user.instructionDisplay, {
      instruction: task.instruction,
    }),
  });
}

/** Converts a failure of the user's model to a failure with source `user`. Other errors are returned unchanged. */
export function asUserFailure(error: unknown): unknown {
  if (!(error instanceof InfrastructureError) || error.source === "user") {
    return error;
  }
  const { kind, message } = error;
  return new InfrastructureError(message, {
    kind,
    source: "user",
    cause: error,
  });
}
