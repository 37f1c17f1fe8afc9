/** Reads the finish reasons of chat completions, which servers spell in various ways. */

import type { FailureKind } from "../errors.ts";
import { CallFailure } from "./call_policy.ts";
import { isRecord, type JsonRecord } from "./loose_fields.ts";

/**
 * The finish state of an answer that can be used. `stop`: the model ended the answer. `length`: the answer reached a
 * token limit. `calls`: the server reports that the answer contains calls. `malformed_call`: the model wrote a call
 * that the server could not parse. `unspecified`: the server gave no reason.
 */
export type Ending =
  | "stop"
  | "calls"
  | "length"
  | "malformed_call"
  | "unspecified";

/** The finish state of an answer that must not be used, since its text may be incomplete. */
type Failing = "withheld" | "aborted" | "failed";

/**
 * The meaning of each finish reason that OpenAI, Anthropic, Bedrock, Gemini, Cohere, Mistral, DeepSeek, Zhipu, vLLM and
 * others use.
 */
const MEANINGS: ReadonlyMap<string, Ending | Failing> = new Map<
  string,
  Ending | Failing
>([
  ...all("stop", [
    "complete",
    "completed",
    "end",
    "end_of_turn",
    "end_turn",
    "eos",
    "eos_token",
    "finished",
    "stop",
    "stop_sequence",
    "stop_string",
    "stop_token",
    "stop_words",
  ]),
  ...all("calls", [
    "function_call",
    "function_calls",
    "tool_call",
    "tool_calls",
    "tool_use",
  ]),
  ...all("length", [
    "context_length_exceeded",
    "context_window_exceeded",
    "error_limit",
    "length",
    "max_completion_tokens",
    "max_length",
    "max_new_tokens",
    "max_output_tokens",
    "max_tokens",
    "model_context_window_exceeded",
    "model_length",
    "token_limit",
  ]),
  ...all("malformed_call", [
    "malformed_function_call",
    "malformed_model_output",
    "malformed_response",
    "malformed_tool_use",
    "unexpected_tool_call",
  ]),
  ...all("withheld", [
    "blocklist",
    "content_filter",
    "content_filtered",
    "error_toxic",
    "guardrail_intervened",
    "image_safety",
    "moderation",
    "prohibited_content",
    "recitation",
    "refusal",
    "safety",
    "sensitive",
    "spii",
  ]),
  ...all("aborted", [
    "abort",
    "aborted",
    "canceled",
    "cancelled",
    "interrupted",
    "user_cancel",
  ]),
  ...all("failed", [
    "error",
    "insufficient_system_resource",
    "network_error",
    "server_error",
    "time_limit",
    "timeout",
  ]),
]);

function all(
  meaning: Ending | Failing,
  reasons: readonly string[],
): [string, Ending | Failing][] {
  return reasons.map((reason) => [reason, meaning]);
}

/**
 * The meanings in order of precedence. If a reason has several parts with a meaning, such as `function_call_filter:
 * MALFORMED_FUNCTION_CALL`, the meaning that comes first in this list applies.
 */
const PRECEDENCE = [
  "malformed_call",
  "withheld",
  "aborted",
  "failed",
  "length",
  "calls",
  "stop",
] as const;

const KINDS: Readonly<Record<Failing, FailureKind>> = {
  withheld: "bad_response",
  aborted: "aborted",
  failed: "server_error",
};

/**
 * Reads the finish reason of a choice.
 * @throws {CallFailure} If the provider withheld or aborted the answer, failed, or gave an unknown reason. The message
 * quotes the reason.
 */
export function readFinish(choice: JsonRecord): Ending {
  const reason = reasonIn(choice["finish_reason"]);
  const native = reasonIn(choice["native_finish_reason"]);
  if (reason === "" && native === "") return "unspecified";
  const meaning = meaningOf(reason || native);
  if (meaning !== undefined && !isFailing(meaning)) return meaning;
  // OpenRouter reports Gemini's malformed call as an error, with Gemini's reason in another field.
  if (meaningOf(native) === "malformed_call") return "malformed_call";
  const said = [...new Set([reason, native])].filter(Boolean).join(", ")
    .slice(0, 200);
  if (meaning === undefined) {
    throw new CallFailure(
      `the answer ended for an unknown reason: "${said}"`,
      { kind: "bad_response" },
    );
  }
  throw new CallFailure(`${MESSAGES[meaning]} (finish reason "${said}")`, {
    kind: KINDS[meaning],
  });
}

const MESSAGES: Readonly<Record<Failing, string>> = {
  withheld: "the provider's filter withheld the answer",
  aborted: "the engine aborted the answer",
  failed: "the provider failed during the answer",
};

function isFailing(meaning: Ending | Failing): meaning is Failing {
  return meaning in KINDS;
}

/**
 * Returns the text of a finish reason, or an empty string if there is none. SGLang's native API nests the reason in an
 * object. Any other value is formatted as JSON.
 */
function reasonIn(value: unknown): string {
  if (typeof value === "string") {
    // Servers in Python or JavaScript may send their null value as text.
    return /^\s*(?:none|null)\s*$/i.test(value) ? "" : value.trim();
  }
  if (isRecord(value) && typeof value["type"] === "string") {
    return value["type"].trim();
  }
  const isEmpty = value === undefined || value === null ||
    typeof value === "object" && Object.keys(value).length === 0;
  return isEmpty ? "" : JSON.stringify(value);
}

/**
 * Returns the meaning of a reason, or `undefined` if no part of it is known. For example, `FinishReason.STOP` and
 * `content_filter: SPII` have two parts.
 */
function meaningOf(reason: string): Ending | Failing | undefined {
  const parts = reason.slice(0, 200).split(/[:.]/).map((part) =>
    MEANINGS.get(
      part.trim().toLowerCase().replace(/[\s-]+/g, "_")
        .replace(/^(?:finish|stop)_reason_/, ""),
    )
  );
  return PRECEDENCE.find((meaning) => parts.includes(meaning));
}
