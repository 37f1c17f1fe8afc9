/**
 * Reads the answers of OpenAI-compatible chat endpoints.
 *
 * Errors in the model's output become a `parseError`, which is reported to the model. Server errors become failures,
 * and never result in an empty or partial answer. Optional fields with unexpected values are ignored.
 */

import { ConfigError, DataError } from "../errors.ts";
import { type JsonObject, parsePythonJson } from "../python/python_json.ts";
import type { ChatReply, OpaqueFields, ToolCall } from "../types.ts";
import { CallFailure } from "./call_policy.ts";
import { type Ending, readFinish } from "./finish_reason.ts";
import {
  countIn,
  isRecord,
  type JsonRecord,
  numberOf,
  recordIn,
  recordsIn,
  wordsIn,
} from "./loose_fields.ts";
import { opaqueFieldsOf } from "./opaque_fields.ts";
import { errorIn, nestedError, readServerError } from "./server_error.ts";
import { splitThought } from "./thought.ts";

/** A chat completion that was read from a response. */
export interface Completion {
  readonly reply: Omit<ChatReply, "usage">;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

/**
 * Reads a chat completion.
 * @throws {CallFailure} If the body is an error or not a chat completion, if the finish reason is unknown or reports a
 * failure, or if the answer is empty although the model must have written something.
 */
export function readCompletion(body: unknown): Completion {
  const [choice] = recordsIn(recordIn(body)["choices"]);
  const error = choice === undefined
    ? errorIn(body)
    : nestedError(choice) ?? nestedError(recordIn(body));
  if (error !== null) throw errorInBody(error);
  if (choice === undefined) throw bad("the answer is not a chat completion");
  const ending = readFinish(choice);
  const usage = recordIn(recordIn(body)["usage"]);
  const details = recordIn(usage["prompt_tokens_details"]);
  return {
    reply: readReply(choice, {
      ending,
      isUncounted: numberOf(usage["completion_tokens"]) === 0,
    }),
    promptTokens: countIn(usage["prompt_tokens"]),
    cachedTokens: countIn(details["cached_tokens"]),
    completionTokens: countIn(usage["completion_tokens"]),
  };
}

/**
 * Converts an error in the body of a response with status 200 to a failure. Gateways may send the status before the
 * provider fails.
 */
function errorInBody(error: JsonRecord): CallFailure {
  const { words, ...read } = readServerError(error);
  return new CallFailure(`the answer is an error: ${words}`, read);
}

function bad(message: string): CallFailure {
  return new CallFailure(message, { kind: "bad_response" });
}

/** The finish state of an answer. `isUncounted` is true if the server counted no completion tokens. */
interface End {
  readonly ending: Ending;
  readonly isUncounted: boolean;
}

function readReply(choice: JsonRecord, end: End): Completion["reply"] {
  const { words, thought, calls, opaque, isGiven } = readMessage(choice);
  const finishReason = end.ending === "length" ? "length" : "stop";
  const rest = {
    ...(thought ? { thought } : {}),
    ...(opaque === undefined ? {} : { opaque }),
    finishReason,
  } as const;
  if (end.ending === "malformed_call") {
    const parseError = "The call is malformed";
    return { content: words, toolCalls: [], parseError, ...rest };
  }
  if (words.trim() === "" && calls.length === 0) {
    if (end.ending !== "length") checkEmptyAnswer({ ...end, isGiven });
    const parseError = "The answer is empty";
    return { content: "", toolCalls: [], parseError, ...rest };
  }
  return { ...readCalls(words, calls), ...rest };
}

/**
 * Checks that an empty answer may come from the model itself. If it does, the model sampled at least the end token, so
 * a server that counted no tokens must have lost the answer.
 * @throws {CallFailure} If the server must have lost the text or the calls.
 */
function checkEmptyAnswer(
  { ending, isUncounted, isGiven }: End & { readonly isGiven: boolean },
): void {
  const empty = "the answer has neither text nor calls";
  if (!isGiven) throw bad(`${empty}: their fields are missing`);
  if (ending === "unspecified") {
    throw bad(`${empty}, and its finish reason is missing`);
  }
  if (ending === "calls") {
    throw bad(`${empty}, although its finish reason reports calls`);
  }
  if (isUncounted) throw bad(`${empty}, and its usage reports no tokens`);
}

/** The contents of a choice in a chat completion. */
interface ChoiceContents {
  readonly words: string;
  readonly thought: string | undefined;
  readonly calls: readonly JsonRecord[];
  readonly opaque: OpaqueFields | undefined;
  /** Whether the message has a `content` field, even an empty one, or a thought. */
  readonly isGiven: boolean;
}

function readMessage(choice: JsonRecord): ChoiceContents {
  const given = choice["message"] ?? choice["delta"] ?? choice["text"];
  const message: JsonRecord = typeof given === "string"
    ? { content: given }
    : recordIn(given);
  const content = readContent(message["content"]);
  const { words, thought } = splitThought(
    wordsIn(content.words) ?? wordsIn(message["refusal"]) ?? "",
  );
  // Thoughts that the server separated: `reasoning_content` (vLLM, SGLang), `reasoning` (OpenRouter, Ollama), content
  // parts (Mistral).
  const thoughts = [
    wordsIn(message["reasoning_content"]),
    wordsIn(message["reasoning"]),
    wordsIn(content.thought),
    thought,
  ].find(Boolean);
  const calls = callsIn(message, words);
  return {
    words,
    thought: thoughts,
    calls,
    opaque: opaqueFieldsOf(message, calls[0]),
    isGiven: "content" in message || thoughts !== undefined,
  };
}

/** Reads the content of a message, which is a string or, from Mistral and some gateways, a list of parts. */
function readContent(
  content: unknown,
): { readonly words: string; readonly thought: string } {
  if (typeof content === "string") return { words: content, thought: "" };
  if (typeof content === "number") return readContent(String(content));
  const parts = Array.isArray(content) ? content : [content];
  const thoughts = parts.filter(isThought);
  return {
    words: parts.filter((part) => !isThought(part)).map(textOf).join(""),
    thought: thoughts.map(textOf).join(""),
  };
}

function isThought(part: unknown): boolean {
  return isRecord(part) &&
    (part["type"] === "thinking" || part["type"] === "reasoning");
}

function textOf(part: unknown): string {
  if (typeof part === "string") return part;
  if (!isRecord(part)) return "";
  const { text, thinking, refusal } = part;
  if (Array.isArray(thinking)) {
    return thinking.map((one) => wordsIn(recordIn(one)["text"]) ?? "").join("");
  }
  const said = isRecord(text) ? text["value"] : text ?? thinking ?? refusal;
  return typeof said === "string" ? said : "";
}

/**
 * Returns the calls of a message or, if it has none, OpenAI's deprecated `function_call`. If the message has text,
 * calls that have neither a name nor arguments are dropped.
 */
function callsIn(message: JsonRecord, words: string): readonly JsonRecord[] {
  const calls = recordsIn(message["tool_calls"]);
  const old = recordsIn(message["function_call"]).filter(holdsCall);
  const all = calls.length > 0 ? calls : old;
  return words.trim() === "" ? all : all.filter(holdsCall);
}

function holdsCall(call: JsonRecord): boolean {
  const { name, args } = partsOf(call);
  return wordsIn(name) !== undefined || Boolean(args);
}

/** Returns the name and the arguments of a call, which are in OpenAI's `function` field or in the call itself. */
function partsOf(call: JsonRecord): { name: unknown; args: unknown } {
  const inner = recordIn(call["function"] ?? call);
  return { name: inner["name"], args: inner["arguments"] };
}

function readCalls(
  words: string,
  calls: readonly JsonRecord[],
): Pick<ChatReply, "content" | "toolCalls" | "parseError"> {
  try {
    return { content: words, toolCalls: calls.map(readCall) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // Servers require a result for each call, so an unreadable call is kept as text.
    const text = calls.map((call) => JSON.stringify(call["function"] ?? call))
      .join("\n");
    return {
      content: [words, text].filter(Boolean).join("\n"),
      toolCalls: [],
      parseError: error.message,
    };
  }
}

/**
 * Reads a call. If it has no id, it gets the id `call_` followed by its index.
 * @throws {ConfigError} If the call is not valid. The message is for the model.
 */
function readCall(call: JsonRecord, index: number): ToolCall {
  const { name, args } = partsOf(call);
  if (typeof name !== "string" || name === "") {
    throw new ConfigError(`Call ${index + 1} has no tool name`);
  }
  const id = numberOf(call["id"])?.toString() ?? wordsIn(call["id"]);
  return {
    id: id ?? `call_${index}`,
    name,
    arguments: readArguments(name, args),
  };
}

/** Maximum number of characters of a call's arguments to quote in an error for the model. */
const MAX_TOLD = 500;

/**
 * Reads the arguments of a call. Missing arguments are read as an empty object.
 * @throws {ConfigError} If the arguments are not a JSON object. The message is for the model.
 */
function readArguments(name: string, args: unknown): JsonObject {
  // Some servers send the object itself instead of its JSON text.
  const text = typeof args === "string" ? args : JSON.stringify(args ?? {});
  try {
    const value = parsePythonJson(text || "{}");
    if (value instanceof Map) return value;
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new ConfigError(
      `The arguments of ${name} are not JSON: ${text.slice(0, MAX_TOLD)}`,
    );
  }
  throw new ConfigError(`The arguments of ${name} must be an object`);
}
