/**
 * What simulated users that ask a model share: the conversation from their side, counted calls, and a
 * bound on asking again.
 *
 * To its model the agent is the `user` and it is the `assistant` itself.
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

/** How often a model is asked again for an answer that can be used. */
const MAX_ASKS = 3;

/** Settings of users that ask a model. */
export interface ModelUserOptions {
  /** Where the prompts come from. */
  readonly dataset: Pick<Dataset, "prompts" | "rules">;
  readonly model: ChatModel;
  /** Behave as τ-bench's user where that changes results. Default: false. */
  readonly compat?: boolean;
}

/** What the user says, and how it stays in their own memory of the conversation. */
export interface Utterance {
  /** What the agent hears. */
  readonly said: string;
  /** What the model sees as its own message later; `null` where nothing is kept. */
  readonly kept: string | null;
}

/** How a user comes to their next message. */
export type Speak = (
  talk: Talk,
  options: CallOptions,
) => Promise<Utterance>;

/**
 * Makes users that speak by a strategy.
 * @param strategy What records call it, before the model's name.
 * @param system Which system prompt they are given.
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
    const talk = new Talk(options.model, { prompts, seed });
    talk.note({
      role: "system",
      content: instructed(system(prompts), { prompts, task }),
    });
    const { compat = false } = options;
    return new ModelUser(talk, { speak, compat });
  });
}

/** The conversation as the user remembers it, and their model. */
export class Talk {
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

  /** `words`, unless the user would leave before they have said a thing. */
  sayable(words: string | undefined): string | undefined {
    const isFirst = this.#messages.every(({ role }) => role !== "assistant");
    const leaves = words?.includes(STOP) && !saysMoreThanStop(words);
    return isFirst && leaves ? undefined : words;
  }

  /** Asks the model; each call has a seed of its own. @throws {InfrastructureError} Of source `user`. */
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
      throw ofUser(error);
    } finally {
      chat.close();
    }
  }

  /**
   * Asks for the user's next message until `read` makes something of it.
   * @throws {InfrastructureError} `bad_response`, after some tries: the simulator's fault, and nobody's score.
   */
  async askFor<T>(
    read: (text: string) => T | undefined,
    options: CallOptions,
  ): Promise<T> {
    let text = "";
    for (let i = 0; i < MAX_ASKS; i++) {
      const reply = await this.#reply(this.#messages, options);
      text = reply.content;
      // Half a sentence is none.
      const value = reply.finishReason === "length" ? undefined : read(text);
      if (value !== undefined) return value;
    }
    throw badResponse(text);
  }
}

/** A message of the simulator that cannot be used. */
export function badResponse(text: string): InfrastructureError {
  return new InfrastructureError(
    `The user's model does not answer in the form that it is asked for, but "${
      text.slice(0, 80)
    }"`,
    {
      kind: "bad_response",
      source: "user",
      hint: "use another model or strategy",
    },
  );
}

class ModelUser implements User {
  readonly #talk: Talk;
  readonly #speak: Speak;
  readonly #compat: boolean;
  #wantedToStop = false;

  constructor(
    talk: Talk,
    { speak, compat }: { speak: Speak; compat: boolean },
  ) {
    this.#talk = talk;
    this.#speak = speak;
    this.#compat = compat;
  }

  get usage(): Usage {
    return this.#talk.usage;
  }

  open(options: CallOptions = {}): Promise<string> {
    return this.reply(this.#talk.prompts.user.firstAgentMessage, options);
  }

  async reply(message: string, options: CallOptions = {}): Promise<string> {
    this.#talk.note({ role: "user", content: message });
    const utterance = await this.#speak(this.#talk, options);
    const { said, kept } = this.#compat
      ? utterance
      : this.#withoutEarlyStop(utterance);
    if (kept !== null) this.#talk.note({ role: "assistant", content: kept });
    return said;
  }

  /**
   * Lets no words be lost to a stop. τ-bench ends at the token wherever it stands, so a "yes, do it" that carries
   * it is never heard. Here the words are said, once, and the conversation ends at the next token.
   */
  #withoutEarlyStop({ said, kept }: Utterance): Utterance {
    if (this.#wantedToStop || !saysMoreThanStop(said)) return { said, kept };
    this.#wantedToStop = true;
    return {
      said: withoutStop(said),
      kept: kept === null ? null : withoutStop(kept),
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

/** A failure of the user's model as one of the user. */
export function ofUser(error: unknown): unknown {
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
