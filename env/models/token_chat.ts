/**
 * Makes a chat model of a token model: messages become ids by a chat template, sampled ids become a message
 * by a tool parser, and what happened is recorded token by token.
 */

import { InfrastructureError, PolicyError } from "../errors.ts";
import { deriveSeed } from "../random.ts";
import { outgrewContext } from "./call_policy.ts";
import { considered, NOTHING_SAID, opensThought } from "./thought.ts";
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

/** How a token model chats. */
export interface TokenChatOptions extends Codec {
  /** 0 takes the likeliest token. */
  readonly temperature: number;
  /** Most tokens of one answer, the end token among them. */
  readonly maxTokensPerTurn: number;
}

/**
 * A chat model over `model`.
 * @throws {RangeError} If the temperature or the number of tokens cannot be.
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
      `Cannot sample ${maxTokensPerTurn} tokens a turn: it must be a positive integer`,
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

/** What a conversation comes to that has outgrown the context. */
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
  /** Whether the prompt of this turn ends within a thought. */
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
   * @returns `null` where the engine's context is shorter than was told, and the conversation has outgrown it. A first
   * prompt that does not fit is a failure: every episode would score 0.
   */
  async #generate(request: GenerateRequest): Promise<GenerateResult | null> {
    try {
      return await this.#model.generate(request);
    } catch (error) {
      if (this.#turn > 1 && outgrewContext(error)) return null;
      throw error;
    }
  }

  /** @throws {PolicyError} If the first messages are too long to be tokenized. */
  #mayFit(messages: readonly Message[]): boolean {
    const { contextLength, name } = this.#model;
    const length = messages.reduce(
      (sum, { content }) => sum + content.length,
      0,
    );
    if (mayFit(length, contextLength)) return true;
    if (this.#turn > 0) return false;
    throw new PolicyError(
      `The first messages have ${length} characters, too many for the context of "${name}", ${contextLength} tokens`,
      { hint: "show less in the prompt or use a model with a longer context" },
    );
  }

  /** How many tokens may be sampled after a prompt of `length`; the sequence never outgrows the context. */
  #room(length: number): number {
    const { contextLength, name } = this.#model;
    const room = contextLength - this.#conversation.ids.length - length;
    if (room < 1 && this.#turn === 0) {
      throw new PolicyError(
        `The first prompt has ${length} tokens and the context of "${name}" ${contextLength}: nothing can be answered`,
        {
          hint: "show less in the prompt or use a model with a longer context",
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

  /** Appends what was sampled and reads it as a message. */
  #record(result: GenerateResult): ChatReply {
    const stopped = endsIn(this.#parts.tokenizer.stopIds, result.ids);
    const isCut = stopped && !READS_STOP_TOKEN.has(this.#format);
    const read = this.#consider(
      this.#textOf(isCut ? result.ids.slice(0, -1) : result.ids),
    );
    const { allCalls, template } = this.#parts;
    const first = read.toolCalls.slice(0, 1);
    const reply = allCalls && !template.takesSeveralCalls
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

  /** A thought is neither read for calls nor said. */
  #consider(text: string): Omit<ChatReply, "finishReason"> {
    const { thought, words } = considered(text, { isOpen: this.#isThinking });
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

/** A tag that opens a thought, with the line's end, is no more tokens than this in any tokenizer. */
const TAG_TOKENS = 12;

/** Nine letters and digits, which the strictest templates ask for. */
function callId(turn: number, index: number): string {
  return `call${String(turn * 10 + index).padStart(5, "0")}`;
}

function endsIn(stopIds: readonly number[], ids: readonly number[]): boolean {
  const last = ids.at(-1);
  return last !== undefined && stopIds.includes(last);
}

/** @throws {InfrastructureError} If the engine did not keep to the contract of `TokenModel`. */
function checkResult(
  result: GenerateResult,
  request: GenerateRequest,
  { model, vocabSize }: { model: string; vocabSize: number },
): void {
  const problem = problemOf(result, request, vocabSize);
  if (problem === null) return;
  throw new InfrastructureError(
    `"${model}" answered ${request.session} with ${problem}`,
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
    return `${ids.length} ids and ${logprobs.length} logprobs`;
  }
  if (ids.length > maxTokens) {
    return `${ids.length} tokens where ${maxTokens} were allowed`;
  }
  const foreign = ids.find((id) =>
    !Number.isInteger(id) || id < 0 || id >= vocabSize
  );
  if (foreign !== undefined) {
    return `the id ${foreign}, which the vocabulary of ${vocabSize} tokens does not have`;
  }
  if (!logprobs.every((value) => Number.isFinite(value) && value < 1e-4)) {
    return `a logprob that is not finite or above 0`;
  }
  if (finishReason === "stop" && !endsIn(stopIds, ids)) {
    return `finish reason "stop" after token ${
      ids.at(-1)
    }, which is none of the stop tokens ${stopIds.join(", ")}`;
  }
  return null;
}
