/**
 * Adapts a token model to the interface of chat models. A chat template converts messages to ids, a tool parser
 * converts sampled ids to a message, and every token is recorded.
 */

import { InfrastructureError, PolicyError } from "../errors.ts";
import { deriveSeed } from "../random.ts";
import { exceedsContext } from "./call_policy.ts";
import { NOTHING_SAID, opensThought, splitThought } from "./thought.ts";
import { mayFit } from "../tokens/may_fit.ts";
import { type Codec, TokenConversation } from "../tokens/conversation.ts";
import {
  READS_STOP_TOKEN,
  TOOL_CALL_PARSERS,
} from "../tokens/tool_calls/parse_tool_calls.ts";
import {
  DEFAULT_FORMAT,
  templateFormat,
} from "../tokens/tool_calls/template_format.ts";
import {
  type KnownTools,
  knownTools,
  type ToolCallFormat,
} from "../tokens/tool_calls/tool_call_format.ts";
import type { Trajectory } from "../tokens/trajectory.ts";
import type {
  CallOptions,
  Chat,
  ChatModel,
  ChatOptions,
  ChatReply,
  GenerateRequest,
  GenerateResult,
  Message,
  TokenModel,
  ToolCall,
} from "../types.ts";

/** Options for {@linkcode tokenChatModel}. */
export interface TokenChatOptions extends Codec {
  /** The sampling temperature. At 0, the most likely token is always chosen. */
  readonly temperature: number;
  /** Maximum number of tokens in one answer, including the end token. */
  readonly maxTokensPerTurn: number;
}

/**
 * Creates a chat model from a token model.
 * @throws {RangeError} If the temperature or the number of tokens is out of range.
 */
export function tokenChatModel(
  model: TokenModel,
  options: TokenChatOptions,
): ChatModel {
  const { temperature, maxTokensPerTurn } = options;
  if (!(temperature >= 0)) {
    throw new RangeError(
      `Cannot sample at temperature ${temperature}: it must be 0 or more`,
    );
  }
  if (!Number.isInteger(maxTokensPerTurn) || maxTokensPerTurn < 1) {
    throw new RangeError(
      `Cannot sample ${maxTokensPerTurn} tokens per turn: maxTokensPerTurn must be a positive integer`,
    );
  }
  let sessions = 0;
  return {
    name: model.name,
    chat: (chat) =>
      new TokenChat(model, {
        ...options,
        ...chat,
        session: `${model.name}/${sessions++}`,
      }),
  };
}

/** The answer if the conversation no longer fits in the context. */
const NO_ROOM: ChatReply = {
  content: "",
  toolCalls: [],
  finishReason: "length",
};

type TokenChatParts = TokenChatOptions & ChatOptions & {
  readonly session: string;
};

class TokenChat implements Chat {
  readonly #model: TokenModel;
  readonly #parts: TokenChatParts;
  readonly #conversation: TokenConversation;
  readonly #tools: KnownTools;
  readonly #format: ToolCallFormat;
  #turn = 0;
  /** Whether the prompt of this turn ends with the opening tag of a thought. */
  #isThinking = false;

  constructor(model: TokenModel, parts: TokenChatParts) {
    this.#model = model;
    this.#parts = parts;
    this.#conversation = new TokenConversation(
      parts,
      parts.toolsInPrompt === false ? [] : parts.tools,
    );
    this.#tools = knownTools(parts.tools);
    this.#format = parts.toolCalls ?? templateFormat(parts.template) ??
      DEFAULT_FORMAT;
  }

  get trajectory(): Trajectory {
    return this.#conversation.trajectory;
  }

  async send(
    messages: readonly Message[],
    options: CallOptions = {},
  ): Promise<ChatReply> {
    if (!this.#mayFit(messages)) return NO_ROOM;
    const prompt = this.#conversation.prompt(messages);
    const room = this.#room(prompt.length);
    if (room < 1) return NO_ROOM;
    this.#conversation.appendPrompt(prompt);
    this.#isThinking = opensThought(this.#textOf(prompt.slice(-TAG_TOKENS)));
    const request = this.#request(room, options);
    const result = await this.#generate(request);
    if (result === null) return NO_ROOM;
    const { name, vocabSize: rows = 0 } = this.#model;
    const vocabSize = Math.max(rows, this.#parts.tokenizer.vocabSize);
    checkResult(result, request, { model: name, vocabSize });
    return this.#record(result);
  }

  close(): void {
    this.#model.release?.(this.#parts.session);
  }

  /**
   * Samples an answer.
   * @returns The answer, or `null` if the conversation no longer fits in the engine's context, which may be shorter
   * than the configured context.
   * @throws {InfrastructureError} If the call fails for another reason, or if the first prompt does not fit, in which
   * case every episode would score 0.
   */
  async #generate(request: GenerateRequest): Promise<GenerateResult | null> {
    try {
      return await this.#model.generate(request);
    } catch (error) {
      if (this.#turn > 1 && exceedsContext(error)) return null;
      throw error;
    }
  }

  /**
   * Checks whether the messages may fit in the context, without tokenizing them.
   * @throws {PolicyError} If the first messages are too long.
   */
  #mayFit(messages: readonly Message[]): boolean {
    const { contextLength, name } = this.#model;
    const length = messages.reduce(
      (sum, { content }) => sum + content.length,
      0,
    );
    if (mayFit(length, contextLength)) return true;
    if (this.#turn > 0) return false;
    throw new PolicyError(
      `The first messages have ${length} characters, too many for the ${contextLength}-token context of "${name}"`,
      { hint: "shorten the prompt, or use a model with a longer context" },
    );
  }

  /**
   * Returns how many tokens may be sampled after a prompt of `length` tokens without exceeding the context.
   * @throws {PolicyError} If the first prompt leaves no room.
   */
  #room(length: number): number {
    const { contextLength, name } = this.#model;
    const room = contextLength - this.#conversation.ids.length - length;
    if (room < 1 && this.#turn === 0) {
      throw new PolicyError(
        `The first prompt has ${length} tokens, which leaves no room for an answer in the ${contextLength}-token context of "${name}"`,
        {
          hint: "shorten the prompt, or use a model with a longer context",
        },
      );
    }
    return room;
  }

  #request(room: number, { signal }: CallOptions): GenerateRequest {
    const { session, maxTokensPerTurn, temperature, tokenizer } = this.#parts;
    return {
      ids: this.#conversation.ids,
      session,
      maxTokens: Math.min(maxTokensPerTurn, room),
      temperature,
      stopIds: tokenizer.stopIds,
      seed: deriveSeed(this.#parts.seed, "turn", this.#turn++),
      signal,
    };
  }

  /** Appends the sampled tokens to the conversation, and parses them as a message. */
  #record(result: GenerateResult): ChatReply {
    const stopped = endsIn(this.#parts.tokenizer.stopIds, result.ids);
    const isCut = stopped && !READS_STOP_TOKEN.has(this.#format);
    const read = this.#splitThought(
      this.#textOf(isCut ? result.ids.slice(0, -1) : result.ids),
    );
    const { allCalls, template } = this.#parts;
    const first = read.toolCalls.slice(0, 1);
    const reply = allCalls && !template.supportsParallelCalls
      ? { ...read, toolCalls: first }
      : read;
    this.#conversation.appendAnswer(
      {
        role: "assistant",
        content: reply.content,
        toolCalls: allCalls ? reply.toolCalls : first,
      },
      result,
    );
    return {
      ...reply,
      finishReason: stopped ? "stop" : "length",
      ...(result.usage === undefined ? {} : { usage: result.usage }),
    };
  }

  #textOf(ids: readonly number[]): string {
    return this.#parts.tokenizer.decode(ids);
  }

  /**
   * Separates the thought from the text, and parses the text. The thought is not part of the content, and calls in it
   * are ignored.
   */
  #splitThought(text: string): Omit<ChatReply, "finishReason"> {
    const { thought, words } = splitThought(text, { isOpen: this.#isThinking });
    if (thought === undefined) return this.#read(text);
    if (words === "") {
      return { content: "", thought, toolCalls: [], parseError: NOTHING_SAID };
    }
    return { ...this.#read(words), thought };
  }

  #read(text: string): Omit<ChatReply, "finishReason"> {
    if (this.#tools.size === 0) return { content: text, toolCalls: [] };
    const parsed = TOOL_CALL_PARSERS[this.#format](text, this.#tools);
    if (!parsed.hasMarker) return { content: text, toolCalls: [] };
    const toolCalls: ToolCall[] = [];
    for (const { name, parameters } of parsed.calls) {
      if (!(parameters instanceof Map)) break;
      const id = callId(this.#turn, toolCalls.length);
      toolCalls.push({ id, name, arguments: parameters });
    }
    if (toolCalls.length > 0) return { content: parsed.normalText, toolCalls };
    const parseError = parsed.failure ??
      (parsed.calls.length > 0
        ? `The arguments of a call must be an object`
        : parsed.skipped[0] ?? `There is no call between the markers`);
    return { content: text, toolCalls: [], parseError };
  }
}

/** An upper bound on the number of tokens in the opening tag of a thought and its line break, for any tokenizer. */
const TAG_TOKENS = 12;

/** Returns a call id of nine alphanumeric characters, the format that the strictest templates require. */
function callId(turn: number, index: number): string {
  return `call${String(turn * 10 + index).padStart(5, "0")}`;
}

function endsIn(stopIds: readonly number[], ids: readonly number[]): boolean {
  const last = ids.at(-1);
  return last !== undefined && stopIds.includes(last);
}

/**
 * Checks that the engine's result meets the contract of `TokenModel`.
 * @throws {InfrastructureError} If the result violates the contract.
 */
function checkResult(
  result: GenerateResult,
  request: GenerateRequest,
  { model, vocabSize }: { model: string; vocabSize: number },
): void {
  const problem = problemOf(result, request, vocabSize);
  if (problem === null) return;
  throw new InfrastructureError(
    `"${model}" returned ${problem} in session ${request.session}`,
    { kind: "bad_response", source: "model" },
  );
}

function problemOf(
  ...[{ ids, logprobs, finishReason }, { maxTokens, stopIds }, vocabSize]: [
    GenerateResult,
    GenerateRequest,
    number,
  ]
): string | null {
  if (ids.length === 0) return "no tokens";
  if (ids.length !== logprobs.length) {
    return `different numbers of ids (${ids.length}) and log probabilities (${logprobs.length})`;
  }
  if (ids.length > maxTokens) {
    return `${ids.length} tokens, more than the ${maxTokens} allowed`;
  }
  const foreign = ids.find((id) =>
    !Number.isInteger(id) || id < 0 || id >= vocabSize
  );
  if (foreign !== undefined) {
    return `the id ${foreign}, which is outside the vocabulary of ${vocabSize} tokens`;
  }
  if (!logprobs.every((value) => Number.isFinite(value) && value < 1e-4)) {
    return `a log probability that is not finite or is above 0`;
  }
  if (finishReason === "stop" && !endsIn(stopIds, ids)) {
    return `finish reason "stop" after token ${
      ids.at(-1)
    }, which is not one of the stop tokens ${stopIds.join(", ")}`;
  }
  return null;
}
