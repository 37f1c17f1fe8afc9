/** Represents a conversation as one growing sequence of token ids. The same ids prompt the model and train it. */

import type { Message, ToolSchema } from "../types.ts";
import type { Answer, ChatTemplate } from "./chat_template.ts";
import { RecentTexts } from "./_recent_texts.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { ToolCallFormat } from "./tool_calls/tool_call_format.ts";
import { type Trajectory, TrajectoryBuilder } from "./trajectory.ts";

/** The template, tokenizer and tool call format that convert messages to ids. */
export interface Codec {
  readonly template: ChatTemplate;
  readonly tokenizer: Tokenizer;
  /** The format of tool calls. Default: the format that the template uses, or `qwen25` if it cannot be detected. */
  readonly toolCalls?: ToolCallFormat | undefined;
}

/**
 * A conversation as token ids. Sampled ids are never re-encoded, and only new messages are rendered and encoded, so the
 * total cost is linear in the conversation's length.
 */
export class TokenConversation {
  readonly #codec: Codec;
  readonly #tools: readonly ToolSchema[];
  readonly #builder = new TrajectoryBuilder();
  #answer: Answer | null = null;

  /**
   * Creates an empty conversation.
   * @param tools The tools to show in the prompt.
   */
  constructor(codec: Codec, tools: readonly ToolSchema[]) {
    this.#codec = codec;
    this.#tools = tools;
  }

  /** All ids so far, `[T]`. The array grows with the conversation and must not be modified. */
  get ids(): readonly number[] {
    return this.#builder.ids;
  }

  /** The sequence so far, with its loss mask and log probabilities. */
  get trajectory(): Trajectory {
    return this.#builder.build();
  }

  /**
   * Renders `messages` and returns the ids to append before the next answer. The conversation itself is not changed.
   * @throws {PolicyError} If the template rejects the messages or does not end answers with the end token.
   */
  prompt(messages: readonly Message[]): readonly number[] {
    const { template, tokenizer } = this.#codec;
    if (this.#answer === null) {
      return tokenizer.encode(template.open(messages, this.#tools));
    }
    const ids = continuation(this.#codec, this.#answer, messages);
    // The text begins with the end token, which the sequence already has unless the answer was cut off.
    return this.#builder.last === ids[0] ? ids.slice(1) : ids;
  }

  /** Appends ids returned by {@linkcode TokenConversation.prompt}. */
  appendPrompt(ids: readonly number[]): void {
    this.#builder.appendContext(ids);
  }

  /**
   * Appends an answer.
   * @param answer The message that was parsed from the ids.
   * @throws {RangeError} If the lengths differ or a value is invalid, in which case nothing is appended.
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

/** Maximum number of cached continuations per template and tokenizer. */
const MAX_KEPT = 4096;
/** Maximum length of the cache key of a continuation, in UTF-16 code units. */
const MAX_KEPT_LENGTH = 8192;

const continuations = new WeakMap<
  ChatTemplate,
  WeakMap<Tokenizer, RecentTexts>
>();

/**
 * Returns the ids between one answer and the next. The ids are cached, because the episodes of a group often call the
 * same tools with the same results, and rendering and encoding these results accounts for most of a turn's CPU time.
 */
function continuation(
  { template, tokenizer }: Codec,
  answer: Answer,
  messages: readonly Message[],
): readonly number[] {
  const make = () => tokenizer.encode(template.proceed(answer, messages));
  const key = keyOf(answer, messages);
  if (key === undefined || key.length > MAX_KEPT_LENGTH) return make();
  const kept = continuationCache(template, tokenizer);
  return kept.get(key) ?? kept.remember(key, make());
}

/**
 * Returns a cache key for a continuation. The key contains all inputs that affect the continuation. Returns `undefined`
 * if the messages include an answer, in which case the continuation is not cached.
 */
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

function continuationCache(
  template: ChatTemplate,
  tokenizer: Tokenizer,
): RecentTexts {
  const ofTemplate = continuations.get(template) ?? new WeakMap();
  continuations.set(template, ofTemplate);
  const kept = ofTemplate.get(tokenizer) ?? new RecentTexts(MAX_KEPT);
  ofTemplate.set(tokenizer, kept);
  return kept;
}
