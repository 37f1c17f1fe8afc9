/** Creates chat models that call OpenAI-compatible endpoints through the `openai` package. */

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
import { type Caller, CallFailure, exceedsContext } from "./call_policy.ts";
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
import { EMPTY_BODY, type ServerError } from "./server_error.ts";

/** Options for {@linkcode openaiChatModel}. */
export interface OpenAiOptions {
  readonly endpoint: Endpoint;
  /** The model's name on the server. It may contain slashes. */
  readonly model: string;
  readonly source: "model" | "user";
  /** The sampling temperature, or `null` for the server's default. */
  readonly temperature: number | null;
  /** Maximum number of tokens in an answer. */
  readonly maxTokens: number;
  /**
   * Extra fields of the request body, which override the standard fields. The value `null` removes a field, such as a
   * field that the server rejects.
   */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly caller: Caller;
  readonly meter: Meter;
  /** Called with each response, including errors, before its body is read. */
  readonly onResponse?: (response: Response) => void;
}

/** Creates a chat model that calls an endpoint. No request is made before the first message is sent. */
export function openaiChatModel(options: OpenAiOptions): ChatModel {
  const { endpoint } = options;
  const client = new OpenAI({
    baseURL: endpoint.baseUrl,
    apiKey: endpoint.apiKey,
    // These environment variables are meant for OpenAI's endpoint.
    organization: null,
    project: null,
    adminAPIKey: null,
    webhookSecret: null,
    maxRetries: 0,
    logLevel: "off",
    // Only the policy's timeout bounds the wait.
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

/** A message of the conversation, and the opaque fields that the server sent with it. */
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
    // Servers require a result for each call in the conversation.
    const calls = this.#parts.allCalls
      ? reply.toolCalls
      : reply.toolCalls.slice(0, 1);
    const message = answerMessage(reply.content, calls);
    this.#messages.push({ message, opaque: reply.opaque });
    const usage = meter.record({ source, model }, { ...tokens, retries });
    return { ...reply, usage };
  }

  close(): void {}

  /**
   * Makes one attempt. The request is repeated as long as rejections reveal which opaque fields the server expects.
   * @throws {CallFailure} If the attempt fails.
   */
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

  /** Returns the conversation with the opaque fields that the server expects. */
  #conversation(): ApiMessage[] {
    const { echo } = this.#parts;
    return this.#messages.map(({ message, opaque }) =>
      message.role === "assistant" ? echo.withFields(message, opaque) : message
    );
  }

  #body(seed: number): Body {
    const { endpoint, model, tools, mustCall = false } = this.#parts;
    const { temperature, maxTokens, extra = {} } = this.#parts;
    const body: Body = {
      model,
      messages: this.#conversation(),
      [endpoint.maxTokensField]: maxTokens,
      ...(tools.length === 0
        ? {}
        : { tools: tools as OpenAI.Chat.ChatCompletionTool[] }),
      ...(mustCall ? { tool_choice: "required" } : {}),
      ...(temperature === null ? {} : { temperature }),
      // Servers store seeds as signed 32-bit integers.
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
 * Converts the failure of a request that exceeds the context to an empty answer. After the first turn, the agent is
 * responsible for the conversation's length. On the first turn, the error is rethrown: the policy or `maxTokens` alone
 * exceeds the model's context, so every episode would score 0. All other errors are also rethrown.
 */
function outOfContext(
  error: unknown,
  turn: number,
): { value: Completion; retries: number } {
  if (turn === 0 || !exceedsContext(error)) throw error;
  const reply = { content: "", toolCalls: [], finishReason: "length" as const };
  const none = { promptTokens: 0, cachedTokens: 0, completionTokens: 0 };
  return { value: { reply, ...none }, retries: 0 };
}

/**
 * Sends one request and reads the answer.
 * @throws {CallFailure} If the request fails or its answer cannot be used.
 */
async function request(
  client: OpenAI,
  { body, signal, endpoint }: {
    body: Body;
    signal: AbortSignal;
    endpoint: Endpoint;
  },
): Promise<Completion> {
  try {
    // The package would read the body without a limit.
    const response = await client.chat.completions.create(body, { signal })
      .asResponse();
    return readCompletion(await jsonOf(response, [endpoint.apiKey]));
  } catch (error) {
    throw toCallFailure(error, { model: body.model, endpoint });
  }
}

/**
 * Reads the body as JSON.
 * @throws {CallFailure} If the body is too long or not JSON.
 */
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
    const said = text.trim() === "" ? EMPTY_BODY : quoted(text, secrets);
    throw new CallFailure(`the answer is not JSON: ${said}`, {
      kind: "bad_response",
      cause,
    });
  }
}

/**
 * Parses JSON. It accepts NaN and Infinity, which Python servers write as log probabilities.
 * @throws {DataError | SyntaxError} If the text is not JSON.
 */
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
  // Placed there by apiFetch().
  const { words, ...read } = error.error as ServerError;
  return new CallFailure(said(`${error.status} ${words}`), read);
}

/** Joins the messages of an error and its cause, which describes how the connection broke. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message.replace(/\.$/, "")} (${cause.message})`
    : error.message;
}
