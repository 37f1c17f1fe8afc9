/**
 * A conversation in token ids: what a model is shown, what it samples and what trains, in one sequence
 * that only grows.
 */

import type { Message, ToolSchema } from "../types.ts";
import type { Answer, ChatTemplate } from "./chat_template.ts";
import { RecentTexts } from "./_recent_texts.ts";
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
    const ids = continuation(this.#codec, this.#answer, messages);
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

/** Continuations kept for a template and tokenizer, and the longest of their messages in UTF-16 units. */
const MAX_KEPT = 4096;
const MAX_KEPT_LENGTH = 8192;

const continuations = new WeakMap<
  ChatTemplate,
  WeakMap<Tokenizer, RecentTexts>
>();

/**
 * The ids between an answer and the next. Those that were met are kept: the episodes of a group call the same tools
 * for the same rows, and to render and encode what a tool answered is most of a turn.
 */
function continuation(
  { template, tokenizer }: Codec,
  answer: Answer,
  messages: readonly Message[],
): readonly number[] {
  const make = () => tokenizer.encode(template.proceed(answer, messages));
  const key = keyOf(answer, messages);
  if (key === undefined || key.length > MAX_KEPT_LENGTH) return make();
  const kept = keptOf(template, tokenizer);
  return kept.get(key) ?? kept.remember(key, make());
}

/** All that a continuation depends on; `undefined` where that has no simple text. */
function keyOf(
  { toolCalls = [] }: Answer,
  messages: readonly Message[],
): string | undefined {
  if (messages.some(({ role }) => role === "assistant")) return undefined;
  return JSON.stringify([
    toolCalls.map(({ id, name }) => [id, name]),
    messages,
  ]);
}

function keptOf(template: ChatTemplate, tokenizer: Tokenizer): RecentTexts {
  const ofTemplate = continuations.get(template) ?? new WeakMap();
  continuations.set(template, ofTemplate);
  const kept = ofTemplate.get(tokenizer) ?? new RecentTexts(MAX_KEPT);
  ofTemplate.set(tokenizer, kept);
  return kept;
}
