/** Messages as OpenAI's chat API has them, and its answers as ours. */

import type OpenAI from "openai";
import { z } from "zod";
import { ConfigError, DataError } from "../errors.ts";
import {
  type JsonObject,
  parsePythonJson,
  printPythonJson,
} from "../python/python_json.ts";
import type { ChatReply, Message, ToolCall } from "../types.ts";
import { considered } from "./thought.ts";
import { CallFailure } from "./call_policy.ts";
import { extra } from "./extra_field.ts";
import {
  isRecord,
  type JsonRecord,
  recordIn,
  recordsIn,
} from "./loose_fields.ts";
import { errorIn, nestedError, readServerError } from "./server_error.ts";

/** A message for the API. */
export type ApiMessage = OpenAI.Chat.ChatCompletionMessageParam;

/** Our message for the API. */
export function toApiMessage(message: Message): ApiMessage {
  switch (message.role) {
    case "system":
    case "user":
      return { role: message.role, content: message.content };
    case "tool":
      return {
        role: "tool",
        tool_call_id: message.toolCallId,
        content: message.content,
      };
    case "assistant":
      return answerMessage(message.content, message.toolCalls ?? []);
  }
}

/** An answer for the API. A call beside which nothing was said has no content. */
export function answerMessage(
  content: string,
  toolCalls: readonly ToolCall[],
): ApiMessage {
  if (toolCalls.length === 0) return { role: "assistant", content };
  return {
    role: "assistant",
    content: content === "" ? null : content,
    tool_calls: toolCalls.map(({ id, name, arguments: args }) => ({
      id,
      type: "function",
      function: {
        name,
        arguments: printPythonJson(args, { ensureAscii: false }),
      },
    })),
  };
}

/** Loose: what a model makes up is told to it, and is no fault of the server. */
const callSchema = z.object({
  id: extra(z.string()),
  function: z.object({ name: z.unknown(), arguments: z.unknown() }).nullish(),
});

const completionSchema = z.object({
  choices: z.array(z.object({
    message: z.object({
      content: z.string().nullish(),
      refusal: extra(z.string()),
      // Thoughts, where a server takes them out itself: vLLM's and SGLang's name, and OpenRouter's and Ollama's.
      reasoning_content: extra(z.string()),
      reasoning: extra(z.string()),
      tool_calls: z.array(callSchema).nullish(),
    }),
    finish_reason: z.string().nullish(),
  })).min(1),
  usage: extra(z.object({
    prompt_tokens: extra(z.number()),
    completion_tokens: extra(z.number()),
    prompt_tokens_details: extra(
      z.object({ cached_tokens: extra(z.number()) }),
    ),
  })),
});

/**
 * The finish reasons that are known: OpenAI's, and what servers beside it write for the same.
 * A server that gives none has ended the answer.
 */
const FINISH_REASONS: ReadonlyMap<string, ChatReply["finishReason"]> = new Map([
  ["stop", "stop"],
  ["tool_calls", "stop"],
  ["function_call", "stop"],
  ["tool_use", "stop"],
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["eos", "stop"],
  ["eos_token", "stop"],
  ["length", "length"],
  ["max_tokens", "length"],
  ["model_length", "length"],
]);

/** What an answer of the API says. */
export interface Completion {
  readonly reply: Omit<ChatReply, "usage">;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/**
 * Reads an answer of the API. What the model wrote wrongly is a `parseError`.
 * @throws {CallFailure} If it is no chat completion, was withheld by the provider's filter or aborted, or ended for a
 * reason that is not known.
 */
export function readCompletion(body: unknown): Completion {
  const error = isCompletion(body)
    ? nestedError(recordIn(body["choices"])) ?? nestedError(body)
    : errorIn(body);
  if (error !== null) throw errorInBody(error);
  const parsed = completionSchema.safeParse(body);
  const choice = parsed.data?.choices[0];
  if (!parsed.success || choice === undefined) {
    throw new CallFailure("the answer is no chat completion", {
      kind: "bad_response",
      cause: parsed.error,
    });
  }
  const finishReason = readFinish(choice.finish_reason || "stop");
  const { usage } = parsed.data;
  return {
    reply: {
      ...readMessage(choice.message),
      finishReason,
    },
    promptTokens: usage?.prompt_tokens ?? 0,
    cachedTokens: usage?.prompt_tokens_details?.cached_tokens ?? 0,
    completionTokens: usage?.completion_tokens ?? 0,
  };
}

/** @throws {CallFailure} If nothing was answered to its end, or nobody knows. */
function readFinish(reason: string): ChatReply["finishReason"] {
  const known = FINISH_REASONS.get(reason);
  if (known !== undefined) return known;
  if (reason === "abort") {
    throw new CallFailure("the engine aborted", { kind: "aborted" });
  }
  throw new CallFailure(
    reason === "content_filter"
      ? "the provider's filter withheld the answer"
      : `the answer ended with the unknown finish reason ${
        JSON.stringify(reason.slice(0, 100))
      }`,
    { kind: "bad_response" },
  );
}

/** Whether a body has choices, of which there may be none. */
function isCompletion(body: unknown): body is JsonRecord {
  return isRecord(body) && recordsIn(body["choices"]).length > 0;
}

/** Gateways answer 200 before their provider does, and tell in the body how it failed. */
function errorInBody(error: JsonRecord): CallFailure {
  const { words, ...read } = readServerError(error);
  return new CallFailure(`the answer is an error: ${words}`, read);
}

type ApiAnswer = z.infer<typeof completionSchema>["choices"][number]["message"];

function readMessage(
  answer: ApiAnswer,
): Omit<ChatReply, "finishReason" | "usage"> {
  const { content, refusal, tool_calls, reasoning_content, reasoning } = answer;
  const { thought, words } = considered(content || refusal || "");
  const thoughts = [reasoning_content, reasoning, thought].find(Boolean);
  return {
    ...readWords(words, tool_calls ?? []),
    ...(thoughts ? { thought: thoughts } : {}),
  };
}

function readWords(
  said: string,
  calls: readonly z.infer<typeof callSchema>[],
): Omit<ChatReply, "finishReason" | "usage"> {
  if (calls.length === 0 && said.trim() === "") {
    return { content: "", toolCalls: [], parseError: "The answer is empty" };
  }
  try {
    return { content: said, toolCalls: calls.map(readCall) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Servers insist that a call is answered, so one that cannot be read goes on as text.
    const text = calls.map((call) => JSON.stringify(call.function)).join("\n");
    return {
      content: [said, text].filter(Boolean).join("\n"),
      toolCalls: [],
      parseError: error.message,
    };
  }
}

/** @throws {ConfigError} In words for the model. */
function readCall(call: z.infer<typeof callSchema>, index: number): ToolCall {
  const { name, arguments: args } = call.function ?? {};
  if (typeof name !== "string" || name === "") {
    throw new ConfigError(`Call ${index + 1} names no tool`);
  }
  return {
    id: call.id || `call_${index}`,
    name,
    arguments: readArguments(name, args),
  };
}

/** @throws {ConfigError} In words for the model. */
function readArguments(name: string, args: unknown): JsonObject {
  // Some servers give the object itself, though the API says its text.
  const text = typeof args === "string" ? args : JSON.stringify(args ?? {});
  try {
    const value = parsePythonJson(text || "{}");
    if (value instanceof Map) return value;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new ConfigError(`The arguments of ${name} are not JSON: ${text}`);
  }
  throw new ConfigError(`The arguments of ${name} must be an object`);
}
