/** Chat models behind any OpenAI-compatible endpoint, through the `openai` package. */

import OpenAI from "openai";
import { parsePythonJson } from "../python/python_json.ts";
import { toPlain } from "../python/python_value.ts";
import { deriveSeed } from "../random.ts";
import type {
  CallOptions,
  Chat,
  ChatModel,
  ChatOptions,
  ChatReply,
  Message,
  OpaqueFields,
} from "../types.ts";
import { apiFetch } from "./api_fetch.ts";
import { boundedText } from "./bounded_body.ts";
import { type Caller, CallFailure, outgrewContext } from "./call_policy.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Meter } from "./meter.ts";
import { type Completion, readCompletion } from "./openai_answer.ts";
import {
  answerMessage,
  type ApiMessage,
  toApiMessage,
} from "./openai_messages.ts";
import { Echo } from "./opaque_fields.ts";
import { quoted } from "./redact.ts";
import type { ServerError } from "./server_error.ts";

/** Settings of {@linkcode openaiChatModel}. */
export interface OpenAiOptions {
  readonly endpoint: Endpoint;
  /** As the server calls it; may hold slashes. */
  readonly model: string;
  readonly source: "model" | "user";
  /** `null` leaves it to the server. */
  readonly temperature: number | null;
  /** Most tokens of an answer. */
  readonly maxTokens: number;
  /** Further fields of the body, stronger than ours; `null` leaves one out that the server does not take. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly meter: Meter;
  /** Hears each answer of the server, the errors too, before it is read. */
  readonly onResponse?: (response: Response) => void;
}

/** A chat model at an endpoint. Costs nothing until it is asked. */
export function openaiChatModel(options: OpenAiOptions): ChatModel {
  const { endpoint } = options;
  const client = new OpenAI({
    baseURL: endpoint.baseUrl,
    apiKey: endpoint.apiKey,
    // What the environment says of these is meant for openai's own endpoint.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: "off",
    // Waiting is bounded by the policy's timeout alone.
    timeout: 2 ** 31 - 1,
    fetch: apiFetch(options.onResponse),
  });
  const ask = (body: Body, signal: AbortSignal) =>
    request(client, { body, signal, endpoint });
  const echo = new Echo();
  return {
    name: options.model,
    chat: (chat) => new OpenAiChat({ ...options, ...chat, ask, echo }),
  };
}

type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

type Parts = OpenAiOptions & ChatOptions & {
  readonly ask: (body: Body, signal: AbortSignal) => Promise<Completion>;
  readonly echo: Echo;
};

/** A message of the conversation, and what of it is the server's alone. */
interface Sent {
  readonly message: ApiMessage;
  readonly opaque?: OpaqueFields | undefined;
}

class OpenAiChat implements Chat {
  readonly #parts: Parts;
  readonly #messages: Sent[] = [];
  #turn = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async send(
    messages: readonly Message[],
    options: CallOptions = {},
  ): Promise<ChatReply> {
    const { caller, meter, source, model } = this.#parts;
    meter.signal.throwIfAborted();
    for (const message of messages) {
      const opaque = message.role === "assistant" ? message.opaque : undefined;
      this.#messages.push({ message: toApiMessage(message), opaque });
    }
    const turn = this.#turn++;
    const seed = deriveSeed(this.#parts.seed, "turn", turn);
    const { value, retries } = await caller.call({
      ...options,
      seed,
      attempt: (signal) => this.#attempt(seed, signal),
    }).catch((error: unknown) => outOfContext(error, turn));
    const { reply, ...tokens } = value;
    // Servers insist that each call they see is answered.
    const calls = this.#parts.allCalls
      ? reply.toolCalls
      : reply.toolCalls.slice(0, 1);
    const message = answerMessage(reply.content, calls);
    this.#messages.push({ message, opaque: reply.opaque });
    const usage = meter.record({ source, model }, { ...tokens, retries });
    return { ...reply, usage };
  }

  close(): void {}

  /** One attempt, and others where a refusal says which fields the server wants back. @throws {CallFailure} */
  async #attempt(seed: number, signal: AbortSignal): Promise<Completion> {
    const { ask, echo } = this.#parts;
    for (;;) {
      const { version } = echo;
      try {
        return await ask(this.#body(seed), signal);
      } catch (error) {
        if (!(error instanceof CallFailure) || !echo.learn(error, version)) {
          throw error;
        }
      }
    }
  }

  /** The conversation, with the fields that the server wants back. */
  #conversation(): ApiMessage[] {
    const { echo } = this.#parts;
    return this.#messages.map(({ message, opaque }) =>
      message.role === "assistant" ? echo.withFields(message, opaque) : message
    );
  }

  #body(seed: number): Body {
    const { endpoint, model, tools, temperature, maxTokens, extra = {} } =
      this.#parts;
    const body: Body = {
      model,
      messages: this.#conversation(),
      [endpoint.maxTokensField]: maxTokens,
      ...(tools.length === 0
        ? {}
        : { tools: tools as OpenAI.Chat.ChatCompletionTool[] }),
      ...(temperature === null ? {} : { temperature }),
      // Servers keep seeds in 32 bits, with a sign.
      ...(endpoint.takesSeed ? { seed: seed % 2 ** 31 } : {}),
      ...extra,
    };
    const fields = Object.entries(body).filter(([name]) =>
      extra[name] !== null
    );
    return Object.fromEntries(fields) as unknown as Body;
  }
}

/**
 * A conversation that has grown too long is the agent's affair, not a failure. One that is so at its first turn
 * is not: the policy or `maxTokens` alone are larger than the model's context, and every episode would score 0.
 */
function outOfContext(
  error: unknown,
  turn: number,
): { value: Completion; retries: number } {
  if (turn === 0 || !outgrewContext(error)) throw error;
  const reply = { content: "", toolCalls: [], finishReason: "length" as const };
  const none = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  return { value: { reply, ...none }, retries: 0 };
}

/** One attempt. @throws {CallFailure} */
async function request(
  client: OpenAI,
  { body, signal, endpoint }: {
    body: Body;
    signal: AbortSignal;
    endpoint: Endpoint;
  },
): Promise<Completion> {
  try {
    // The package would read the body without a bound.
    const response = await client.chat.completions.create(body, { signal })
      .asResponse();
    return readCompletion(await jsonOf(response, [endpoint.apiKey]));
  } catch (error) {
    throw toCallFailure(error, { model: body.model, endpoint });
  }
}

/** @throws {CallFailure} If the body is too long, or no JSON. */
async function jsonOf(
  response: Response,
  secrets: readonly string[],
): Promise<unknown> {
  const { text, fault } = await boundedText(response);
  if (fault !== null) {
    throw new CallFailure(fault, { kind: "bad_response" });
  }
  try {
    return parsed(text);
  } catch (cause) {
    throw new CallFailure(`the answer is no JSON: ${quoted(text, secrets)}`, {
      kind: "bad_response",
      cause,
    });
  }
}

/** JSON, as Python's servers write it, too: a NaN among log probabilities costs no answer. @throws If it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return toPlain(parsePythonJson(text));
  }
}

function toCallFailure(
  error: unknown,
  { model, endpoint }: { model: string; endpoint: Endpoint },
): CallFailure {
  const where = `"${model}" at ${endpoint.baseUrl}`;
  if (error instanceof CallFailure) {
    const said = quoted(error.message, [endpoint.apiKey]);
    return new CallFailure(`${where}: ${said}`, error);
  }
  const said = (words: string) =>
    `${where}: ${quoted(words, [endpoint.apiKey])}`;
  if (!(error instanceof OpenAI.APIError) || error.status === undefined) {
    return new CallFailure(said(messageOf(error)), { kind: "connection" });
  }
  // As apiFetch() put it there.
  const { words, ...read } = error.error as ServerError;
  return new CallFailure(said(`${error.status} ${words}`), read);
}

/** The message with the cause's, which says what broke a connection. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message} (${cause.message})`
    : error.message;
}
