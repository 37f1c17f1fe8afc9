import assert from "node:assert/strict";
import fc from "fast-check";
import { CallFailure } from "../../../env/models/call_policy.ts";
import { readFinish } from "../../../env/models/finish_reason.ts";

/** Returns the finish reason that is read from a choice, or the kind of failure. */
function endOf(finish_reason: unknown, native?: unknown): string {
  const choice = { finish_reason, native_finish_reason: native };
  try {
    return readFinish(choice);
  } catch (error) {
    assert.ok(error instanceof CallFailure);
    assert.equal(error.isContextFull, false);
    return error.kind;
  }
}

const REASONS: [from: string, reason: unknown, end: string][] = [
  ["OpenAI", "stop", "stop"],
  ["OpenAI", "tool_calls", "calls"],
  ["OpenAI", "function_call", "calls"],
  ["OpenAI", "length", "length"],
  ["OpenAI", "content_filter", "bad_response"],
  ["Gemini", "STOP", "stop"],
  ["Gemini", "MAX_TOKENS", "length"],
  ["Gemini", "SAFETY", "bad_response"],
  ["Gemini", "RECITATION", "bad_response"],
  ["Gemini", "PROHIBITED_CONTENT", "bad_response"],
  ["Gemini", "BLOCKLIST", "bad_response"],
  ["Gemini", "content_filter: PROHIBITED_CONTENT", "bad_response"],
  ["Gemini", "OTHER", "bad_response"],
  ["Gemini", "FINISH_REASON_UNSPECIFIED", "bad_response"],
  ["Gemini", "MALFORMED_FUNCTION_CALL", "malformed_call"],
  [
    "Gemini",
    "function_call_filter: MALFORMED_FUNCTION_CALL",
    "malformed_call",
  ],
  ["Gemini's Python", "FinishReason.STOP", "stop"],
  ["Gemini's Python", "FinishReason.SAFETY", "bad_response"],
  ["Anthropic", "end_turn", "stop"],
  ["Anthropic", "stop_sequence", "stop"],
  ["Anthropic", "tool_use", "calls"],
  ["Anthropic", "max_tokens", "length"],
  ["Anthropic", "model_context_window_exceeded", "length"],
  ["Anthropic", "refusal", "bad_response"],
  ["Anthropic", "pause_turn", "bad_response"],
  ["Mistral", "model_length", "length"],
  ["Mistral", "error", "server_error"],
  ["DeepSeek", "insufficient_system_resource", "server_error"],
  ["Zhipu", "network_error", "server_error"],
  ["Zhipu", "sensitive", "bad_response"],
  ["OpenRouter", "error", "server_error"],
  ["Bedrock", "guardrail_intervened", "bad_response"],
  ["Hugging Face TGI", "eos_token", "stop"],
  ["vLLM", "abort", "aborted"],
  ["SGLang", { type: "stop", matched: 151645 }, "stop"],
  ["SGLang", { type: "length", length: 4 }, "length"],
  ["SGLang", { type: "abort", message: "x" }, "aborted"],
  ["Cohere", "COMPLETE", "stop"],
  ["Cohere", "ERROR_TOXIC", "bad_response"],
  ["Cohere", "ERROR_LIMIT", "length"],
  ["Bedrock", "malformed_tool_use", "malformed_call"],
  ["Vertex", "FINISH_REASON_STOP", "stop"],
  ["watsonx", "time_limit", "server_error"],
  ["none", "None", "unspecified"],
  ["none", null, "unspecified"],
  ["none", undefined, "unspecified"],
  ["none", "", "unspecified"],
  ["none", " ", "unspecified"],
  ["none", [], "unspecified"],
  ["none", {}, "unspecified"],
  ["nobody", "constructor", "bad_response"],
  ["nobody", "__proto__", "bad_response"],
  ["nobody", "stopped early", "bad_response"],
  ["nobody", 1, "bad_response"],
  ["nobody", false, "bad_response"],
  ["nobody", { reason: "stop" }, "bad_response"],
];

for (const [from, reason, end] of REASONS) {
  const text = JSON.stringify(reason);
  Deno.test(`readFinish() reads ${text} of ${from} as ${end}`, () => {
    assert.equal(endOf(reason), end);
  });
}

Deno.test("readFinish() uses the provider's reason if the gateway has none or only reports an error", () => {
  assert.equal(endOf(null, "STOP"), "stop");
  assert.equal(endOf("error", "MALFORMED_FUNCTION_CALL"), "malformed_call");
  assert.equal(endOf("error", "completed"), "server_error");
  assert.equal(endOf("stop", "SAFETY"), "stop");
  assert.equal(endOf("content_filter", "SPII"), "bad_response");
});

Deno.test("readFinish() quotes the server's reason, shortened if it is long", () => {
  const choice = {
    finish_reason: "content_filter: SPII",
    native_finish_reason: "SPII",
  };
  assert.throws(() => readFinish(choice), {
    message:
      'the provider\'s filter withheld the answer (finish reason "content_filter: SPII, SPII")',
  });
  assert.throws(
    () => readFinish({ finish_reason: "x".repeat(2 ** 20) }),
    (error: Error) => error.message.length < 300,
  );
});

Deno.test("readFinish() returns an ending or throws a typed failure for any value", () => {
  const known = new Set(REASONS.map(([, , end]) => end));
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (reason, native) => {
    assert.ok(known.has(endOf(reason, native)));
  }));
});
