/**
 * Chat models behind any OpenAI-compatible endpoint, through the `openai` package.
 *
 * @module
 */

import OpenAI from "openai";
import { InfrastructureError } from "../errors.ts";
import { deriveSeed } from "../random.ts";
import type {
  CallOptions,
  Chat,
  ChatModel,
  ChatOptions,
  ChatReply,
  Message,
} from "../types.ts";
import {
  type Caller,
  CallFailure,
  kindOfStatus,
  retryAfterOf,
} from "./call_policy.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Meter } from "./meter.ts";
import {
  answerMessage,
  type ApiMessage,
  type Completion,
  readCompletion,
  toApiMessage,
} from "./openai_messages.ts";
import { redact } from "./redact.ts";

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
  readonly caller: Caller;
  readonly meter: Meter;
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
    fetch: leanFetch(),
  });
  const ask = (body: Body, signal: AbortSignal) =>
    request(client, { body, signal, endpoint });
  return {
    name: options.model,
    chat: (chat) => new OpenAiChat({ ...options, ...chat, ask }),
  };
}

/**
 * `fetch` with the headers of the first call, telemetry left out: all calls of a client have the same, and to
 * make them anew is a tenth of what a call costs.
 */
function leanFetch(): typeof fetch {
  let headers: [string, string][] | undefined;
  return (input, init = {}) => {
    headers ??= [...new Headers(init.headers)].filter(([name]) =>
      !name.startsWith("x-stainless") && name !== "content-length"
    );
    const { method = "GET", body = null, signal = null } = init;
    return fetch(input, { method, body, signal, headers });
  };
}

type Body = OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;

type Parts = OpenAiOptions & ChatOptions & {
  readonly ask: (body: Body, signal: AbortSignal) => Promise<Completion>;
};

class OpenAiChat implements Chat {
  readonly #parts: Parts;
  readonly #messages: ApiMessage[] = [];
  #turn = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async send(
    messages: readonly Message[],
    options: CallOptions = {},
  ): Promise<ChatReply> {
    const { caller, meter, source, model, ask } = this.#parts;
    for (const message of messages) this.#messages.push(toApiMessage(message));
    const seed = deriveSeed(this.#parts.seed, "turn", this.#turn++);
    const body = this.#body(seed);
    const { value, retries } = await caller.call({
      ...options,
      seed,
      attempt: (signal) => ask(body, signal),
    }).catch(outOfContext);
    const { reply, ...tokens } = value;
    // Only the first call is acted on, and servers insist that each call they see is answered.
    this.#messages.push(
      answerMessage(reply.content, reply.toolCalls.slice(0, 1)),
    );
    const usage = meter.record({ source, model }, { ...tokens, retries });
    return { ...reply, usage };
  }

  close(): void {}

  #body(seed: number): Body {
    const { endpoint, model, tools, temperature, maxTokens } = this.#parts;
    return {
      model,
      messages: this.#messages,
      [endpoint.maxTokensField]: maxTokens,
      ...(tools.length === 0
        ? {}
        : { tools: tools as OpenAI.Chat.ChatCompletionTool[] }),
      ...(temperature === null ? {} : { temperature }),
      // Servers keep seeds in 32 bits, with a sign.
      ...(endpoint.takesSeed ? { seed: seed % 2 ** 31 } : {}),
    };
  }
}

/** A conversation that no longer fits is the agent's affair, not a failure. */
function outOfContext(error: unknown): { value: Completion; retries: number } {
  const isFull = error instanceof InfrastructureError &&
    error.kind === "refused" && error.source === "model" &&
    /context.?length|maximum context|too many tokens/i.test(error.message);
  if (!isFull) throw error;
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
    const completion: unknown = await client.chat.completions.create(body, {
      signal,
    });
    return readCompletion(completion);
  } catch (error) {
    throw toCallFailure(error, { model: body.model, endpoint });
  }
}

function toCallFailure(
  error: unknown,
  { model, endpoint }: { model: string; endpoint: Endpoint },
): CallFailure {
  const where = `"${model}" at ${endpoint.baseUrl}`;
  if (error instanceof CallFailure) {
    return new CallFailure(`${where}: ${error.message}`, error);
  }
  const words = redact(messageOf(error), [endpoint.apiKey]);
  const message = `${where}: ${words}`;
  if (!(error instanceof OpenAI.APIError)) {
    // A body that ends early or is no JSON surfaces as the parser's own error.
    const kind = error instanceof SyntaxError ? "bad_response" : "connection";
    return new CallFailure(message, { kind });
  }
  const status: unknown = error.status;
  if (typeof status !== "number") {
    return new CallFailure(message, { kind: "connection" });
  }
  const isOut = /insufficient_quota|exceeded your current quota/.test(words);
  const wait = retryAfterOf(error.headers ?? new Headers(), Date.now());
  return new CallFailure(message, {
    kind: isOut ? "refused" : kindOfStatus(status) ?? "bad_response",
    retryAfterMs: wait,
  });
}

/** The message with the cause's, which says what broke a connection. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error
    ? `${error.message} (${cause.message})`
    : error.message;
}
