/**
 * A conversation in token ids: what a model is shown, what it samples and what trains, in one sequence
 * that only grows.
 */

import type { Message, ToolSchema } from "../types.ts";
import type { Answer, ChatTemplate } from "./chat_template.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { ToolCallFormat } from "./tool_calls/tool_call_format.ts";
import { type Trajectory, TrajectoryBuilder } from "./trajectory.ts";

/** What turns messages into ids. */
export interface Codec {
  readonly template: ChatTemplate;
  readonly tokenizer: Tokenizer;
  /** How the model writes tool calls. Default: as its template does. */
  readonly toolCalls?: ToolCallFormat | undefined;
}

/**
 * Token in, token out: sampled ids stay as they were sampled, and only what is new is rendered and encoded,
 * so the cost is linear in the conversation.
 */
export class TokenConversation {
  readonly #codec: Codec;
  readonly #tools: readonly ToolSchema[];
  readonly #builder = new TrajectoryBuilder();
  #answer: Answer | null = null;

  /** @param tools Those that the prompt shows; may be none. */
  constructor(codec: Codec, tools: readonly ToolSchema[]) {
    this.#codec = codec;
    this.#tools = tools;
  }

  /** Everything so far, `[T]`. A live view, not to be written to. */
  get ids(): readonly number[] {
    return this.#builder.ids;
  }

  /** The sequence so far with mask and logprobs. */
  get trajectory(): Trajectory {
    return this.#builder.build();
  }

  /**
   * The ids that lead from here to the next answer: `messages` in the template's form. Appends nothing.
   * @throws {PolicyError} If the template refuses the messages.
   */
  prompt(messages: readonly Message[]): readonly number[] {
    const { template, tokenizer } = this.#codec;
    if (this.#answer === null) {
      return tokenizer.encode(template.open(messages, this.#tools));
    }
    const ids = tokenizer.encode(template.proceed(this.#answer, messages));
    // The text begins with the end token, which is there already unless the answer was cut off.
    return this.#builder.last === ids[0] ? ids.slice(1) : ids;
  }

  /** Appends what {@linkcode TokenConversation.prompt} gave. */
  appendPrompt(ids: readonly number[]): void {
    this.#builder.appendContext(ids);
  }

  /**
   * Appends an answer.
   * @param answer The message that the ids were read as.
   * @throws {RangeError} If lengths or values are wrong; nothing is appended then.
   */
  appendAnswer(
    answer: Answer,
    sampled: {
      readonly ids: readonly number[];
      readonly logprobs: readonly number[];
    },
  ): void {
    this.#builder.appendSampled(sampled.ids, sampled.logprobs);
    this.#answer = answer;
  }
}
