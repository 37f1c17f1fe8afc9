/**
 * Serves OpenAI's chat completions API with a token model. The chat template, the tokenizer and the tool parser are the
 * same as in training.
 *
 * @see OpenAI's API reference, "Create chat completion".
 */

import { z } from "zod";
import { ConfigError, DataError } from "../errors.ts";
import { answerMessage } from "../models/openai_messages.ts";
import { tokenChatModel } from "../models/token_chat.ts";
import { type JsonObject, parsePythonJson } from "../python/python_json.ts";
import type {
  ChatReply,
  Message,
  TokenModel,
  ToolCall,
  ToolSchema,
} from "../types.ts";
import type { PrefixSessions } from "./prefix_sessions.ts";
import { readBody } from "./read_body.ts";
import { RequestError, type ServedPolicy } from "./served_policy.ts";

const text = z.union([
  z.string(),
  z.array(z.object({ type: z.literal("text"), text: z.string() }))
    .transform((parts) => parts.map(({ text }) => text).join("")),
]);

const callSchema = z.looseObject({
  id: z.string(),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

const messageSchema = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer"]), content: text }),
  z.looseObject({ role: z.literal("user"), content: text }),
  z.looseObject({
    role: z.literal("assistant"),
    content: text.nullish(),
    tool_calls: z.array(callSchema).nullish(),
  }),
  z.looseObject({
    role: z.literal("tool"),
    content: text,
    tool_call_id: z.string(),
  }),
]);

const toolSchema = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: z.string(),
    description: z.string().default(""),
    parameters: z.record(z.string(), z.unknown()).default({}),
  }),
});

const requestSchema = z.looseObject({
  model: z.string(),
  messages: z.array(messageSchema).min(1),
  tools: z.array(toolSchema).nullish(),
  temperature: z.number().min(0).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  seed: z.int().nullish(),
  n: z.literal(1).nullish(),
  stream: z.boolean().nullish(),
});

/** A parsed request for a chat completion. */
export type ChatBody = z.infer<typeof requestSchema>;

/**
 * Parses a request.
 * @throws {RequestError} If the request is invalid or names another model.
 */
export function readChatBody(body: unknown, { name }: ServedPolicy): ChatBody {
  const read = readBody(requestSchema, body);
  if (read.model === name) return read;
  throw new RequestError(
    `The model "${read.model}" does not exist; this server has "${name}"`,
    404,
  );
}

/**
 * Returns the chat completion for a request.
 * @throws {RequestError} If the arguments of a call in the conversation are not a JSON object.
 * @throws {PolicyError} If the conversation is too long, or the chat template rejects it.
 */
export async function answerChat(
  body: ChatBody,
  { policy, sessions, signal, id }: {
    policy: ServedPolicy;
    sessions: PrefixSessions;
    signal: AbortSignal;
    id: string;
  },
): Promise<Record<string, unknown>> {
  let counted = { prompt: 0, cached: 0, completion: 0 };
  const model: TokenModel = {
    name: policy.name,
    contextLength: policy.model.contextLength,
    async generate(request) {
      const result = await sessions.generate({ ...request, signal });
      counted = {
        prompt: request.ids.length,
        cached: result.cachedTokens,
        completion: result.ids.length,
      };
      return result;
    },
  };
  const reply = await askOnce(model, body, policy);
  return {
    id,
    object: "chat.completion",
    created: Math.floor(Date.now() / 1000),
    model: policy.name,
    choices: [{ index: 0, ...choiceOf(reply), logprobs: null }],
    usage: {
      prompt_tokens: counted.prompt,
      completion_tokens: counted.completion,
      total_tokens: counted.prompt + counted.completion,
      prompt_tokens_details: { cached_tokens: counted.cached },
    },
  };
}

/**
 * Converts a chat completion to the two chunks of a stream: the whole message, then the finish reason and the usage.
 */
export function chatChunks(
  completion: Record<string, unknown>,
): Record<string, unknown>[] {
  const { choices, usage, ...rest } = completion;
  const [{ message, finish_reason }] = choices as [
    { message: Record<string, unknown>; finish_reason: string },
  ];
  const calls = message["tool_calls"] as object[] | undefined;
  const delta = calls === undefined ? message : {
    ...message,
    tool_calls: calls.map((call, index) => ({ index, ...call })),
  };
  const chunk = { ...rest, object: "chat.completion.chunk" };
  return [
    { ...chunk, choices: [{ index: 0, delta, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason }], usage },
  ];
}

async function askOnce(
  model: TokenModel,
  body: ChatBody,
  { codec, prompt }: ServedPolicy,
): Promise<ChatReply> {
  const chat = tokenChatModel(model, {
    ...codec,
    temperature: body.temperature ?? 1,
    maxTokensPerTurn: body.max_completion_tokens ?? body.max_tokens ?? 1024,
  }).chat({
    tools: (body.tools ?? []) as ToolSchema[],
    toolsInPrompt: prompt === "full",
    seed: body.seed ?? Math.floor(Math.random() * 2 ** 31),
  });
  const messages = toMessages(body);
  return await chat.send(
    prompt === "full"
      ? messages
      : messages.filter(({ role }) => role !== "system"),
  );
}

/** Converts an answer to a choice. If calls in the text cannot be parsed, the text is returned as content. */
function choiceOf({ content, toolCalls, finishReason }: ChatReply) {
  const message = answerMessage(content, toolCalls);
  const isCall = toolCalls.length > 0 && finishReason === "stop";
  return { message, finish_reason: isCall ? "tool_calls" : finishReason };
}

function toMessages({ messages }: ChatBody): Message[] {
  const names = new Map<string, string>();
  return messages.map((message): Message => {
    switch (message.role) {
      case "system":
      case "developer":
        return { role: "system", content: message.content };
      case "user":
        return { role: "user", content: message.content };
      case "tool":
        return {
          role: "tool",
          content: message.content,
          toolCallId: message.tool_call_id,
          name: names.get(message.tool_call_id) ?? "tool",
        };
      case "assistant": {
        const toolCalls = (message.tool_calls ?? []).map(toCall);
        for (const { id, name } of toolCalls) names.set(id, name);
        const content = message.content ?? "";
        return toolCalls.length === 0
          ? { role: "assistant", content }
          : { role: "assistant", content, toolCalls };
      }
    }
  });
}

function toCall({ id, function: call }: z.infer<typeof callSchema>): ToolCall {
  return { id, name: call.name, arguments: argumentsOf(call) };
}

function argumentsOf(
  { name, arguments: json }: { name: string; arguments: string },
): JsonObject {
  try {
    const value = parsePythonJson(json);
    if (value instanceof Map) return value;
  } catch (error) {
    if (!(error instanceof DataError || error instanceof ConfigError)) {
      throw error;
    }
  }
  throw new RequestError(
    `messages: the arguments of the call to "${name}" are not a JSON object: ${json}`,
  );
}
