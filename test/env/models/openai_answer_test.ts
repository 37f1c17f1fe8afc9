import assert from "node:assert/strict";
import fc from "fast-check";
import { CallFailure } from "../../../env/models/call_policy.ts";
import { readCompletion } from "../../../env/models/openai_answer.ts";

/** Creates a response body with one choice. Omits undefined properties. */
function body(
  message: unknown,
  finish_reason: unknown = "stop",
  rest: object = {},
): unknown {
  const choice = { index: 0, message, finish_reason };
  return JSON.parse(JSON.stringify({ choices: [choice], ...rest }));
}

const CALL = {
  id: "call_a",
  type: "function",
  function: { name: "look", arguments: '{"at": "x"}' },
};

/** Parses a response body. Returns the relevant fields of the reply as text, or the kind of failure. */
function outcome(given: unknown): string {
  try {
    const { reply } = readCompletion(given);
    const { content, toolCalls, parseError, thought, finishReason } = reply;
    return [
      content,
      ...toolCalls.map(({ id, name, arguments: args }) =>
        `${id} ${name} ${JSON.stringify([...args])}`
      ),
      ...parseError === undefined ? [] : ["mistake"],
      ...thought === undefined ? [] : [`(${thought})`],
      ...finishReason === "stop" ? [] : [finishReason],
    ].filter(Boolean).join(" | ");
  } catch (error) {
    assert.ok(error instanceof CallFailure, String(error));
    return `failure: ${error.kind}`;
  }
}

const LOOK = 'call_a look [["at","x"]]';

const BODIES: [from: string, given: unknown, wanted: string][] = [
  ["words", body({ content: "hi" }), "hi"],
  ["a call", body({ content: null, tool_calls: [CALL] }, "tool_calls"), LOOK],
  ["a refusal", body({ content: null, refusal: "I may not" }), "I may not"],
  ["a cut answer", body({ content: "Your re" }, "length"), "Your re | length"],
  [
    "an answer cut in its thought",
    body({ content: null }, "length"),
    "mistake | length",
  ],

  // Partial sentences of servers that stopped early.
  [
    "an error within an answer",
    body({ content: "Your re" }, "error"),
    "failure: server_error",
  ],
  ["an abort", body({ content: "Your re" }, "abort"), "failure: aborted"],
  [
    "a network error",
    body({ content: "Your re" }, "network_error"),
    "failure: server_error",
  ],
  [
    "Gemini's filter",
    body({ content: "Your re" }, "SAFETY"),
    "failure: bad_response",
  ],
  [
    "an unknown finish reason",
    body({ content: "Your re" }, "paused"),
    "failure: bad_response",
  ],
  [
    "a filter, next to a call",
    body({ tool_calls: [CALL] }, "content_filter: X"),
    "failure: bad_response",
  ],

  // Empty answers: the model's or the server's mistake.
  ["an empty answer of the model", body({ content: "" }), "mistake"],
  [
    "an end token alone",
    body({ content: "" }, "stop", { usage: { completion_tokens: 1 } }),
    "mistake",
  ],
  [
    "an empty answer with zero tokens",
    body({ content: "" }, "stop", { usage: { completion_tokens: 0 } }),
    "failure: bad_response",
  ],
  [
    "no finish reason and no text",
    body({ content: null }, null),
    "failure: bad_response",
  ],
  [
    "no finish reason, and only thoughts",
    body({ content: "", reasoning: "hm" }, null),
    "failure: bad_response",
  ],
  ["no message", body(undefined), "failure: bad_response"],
  ["no message at null", body(null, null), "failure: bad_response"],
  [
    "Gemini's empty message",
    body({ role: "assistant" }),
    "failure: bad_response",
  ],
  [
    "announced calls that are missing",
    body({ content: null, tool_calls: [] }, "tool_calls"),
    "failure: bad_response",
  ],
  [
    "Gemini's malformed call",
    body(
      { role: "assistant" },
      "function_call_filter: MALFORMED_FUNCTION_CALL",
    ),
    "mistake",
  ],
  ["a body of nothing", {}, "failure: bad_response"],
  ["no choices", { choices: [] }, "failure: bad_response"],
  ["null", null, "failure: bad_response"],
  ["a page", "<html>", "failure: server_error"],

  // Alternative formats.
  ["no finish reason", body({ content: "hi" }, null), "hi"],
  ["an empty finish reason", body({ content: "hi" }, ""), "hi"],
  [
    "parts",
    body({
      content: [{ type: "text", text: "Hel" }, { type: "text", text: "lo" }],
    }),
    "Hello",
  ],
  [
    "Mistral's thoughts",
    body({
      content: [
        { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
        { type: "text", text: "Hello" },
      ],
    }),
    "Hello | (hm)",
  ],
  [
    "a content part that is not in a list",
    body({ content: { type: "text", text: "hi" } }),
    "hi",
  ],
  ["a part in an object", body({ content: [{ text: { value: "hi" } }] }), "hi"],
  ["a number", body({ content: 42 }), "42"],
  ["a message that is a text", body("hi"), "hi"],
  ["a message in a list", body([{ content: "hi" }]), "hi"],
  [
    "a choice that is not in a list",
    { choices: { message: { content: "hi" } } },
    "hi",
  ],
  [
    "a choice after null",
    { choices: [null, { message: { content: "hi" } }] },
    "hi",
  ],
  ["a call that is no list", body({ tool_calls: CALL }, "tool_calls"), LOOK],
  [
    "a call with a number for an id",
    body({ tool_calls: [{ ...CALL, id: 7 }] }),
    '7 look [["at","x"]]',
  ],
  [
    "a call without an id",
    body({ tool_calls: [{ ...CALL, id: null }] }),
    'call_0 look [["at","x"]]',
  ],
  [
    "a call with an empty id",
    body({ tool_calls: [{ ...CALL, id: "" }] }),
    'call_0 look [["at","x"]]',
  ],
  [
    "a call with an object for an id",
    body({ tool_calls: [{ ...CALL, id: {} }] }),
    'call_0 look [["at","x"]]',
  ],
  [
    "arguments as an object",
    body({
      tool_calls: [{
        id: "call_a",
        function: { name: "look", arguments: { at: "x" } },
      }],
    }),
    LOOK,
  ],
  [
    "a function in a list",
    body({ tool_calls: [{ id: "call_a", function: [CALL.function] }] }),
    LOOK,
  ],
  [
    "a call without a function",
    body({ tool_calls: [{ id: "call_a", ...CALL.function }] }),
    LOOK,
  ],
  [
    "OpenAI's old field",
    body({ content: null, function_call: CALL.function }),
    'call_0 look [["at","x"]]',
  ],
  [
    "OpenAI's old field, empty",
    body({ content: "hi", function_call: { name: "", arguments: "" } }),
    "hi",
  ],

  // Invalid optional fields next to a valid answer.
  ...([null, "", 0, false, [], {}, [null], "x", 1, [[]], [{}]] as const)
    .flatMap(
      (odd): [string, unknown, string][] => [
        [
          `tool_calls ${JSON.stringify(odd)}`,
          body({ content: "hi", tool_calls: odd }),
          "hi",
        ],
        [
          `function_call ${JSON.stringify(odd)}`,
          body({ content: "hi", function_call: odd }),
          "hi",
        ],
        [
          `usage ${JSON.stringify(odd)}`,
          body({ content: "hi" }, "stop", { usage: odd }),
          "hi",
        ],
        [
          `counts ${JSON.stringify(odd)}`,
          body({ content: "hi" }, "stop", {
            usage: {
              prompt_tokens: odd,
              completion_tokens: odd,
              prompt_tokens_details: odd,
            },
          }),
          "hi",
        ],
        [
          `id, model and more ${JSON.stringify(odd)}`,
          body(
            { content: "hi", role: odd, annotations: odd, audio: odd },
            "stop",
            {
              id: odd,
              model: odd,
              created: odd,
              object: odd,
              system_fingerprint: odd,
              service_tier: odd,
              choices_count: odd,
            },
          ),
          "hi",
        ],
        [
          `reasoning_details ${JSON.stringify(odd)}`,
          body({ content: "hi", reasoning_details: odd, logprobs: odd }),
          "hi",
        ],
      ],
    ),
  ...([null, 0, false, [], {}, 7, [{ text: 1 }]] as const).map(
    (odd): [string, unknown, string] => [
      `thoughts and refusal ${JSON.stringify(odd)}`,
      body({
        content: "hi",
        refusal: odd,
        reasoning: odd,
        reasoning_content: odd,
      }),
      "hi",
    ],
  ),
];

for (const [from, given, wanted] of BODIES) {
  Deno.test(`readCompletion() reads ${from}`, () => {
    assert.equal(outcome(given), wanted);
  });
}

Deno.test("readCompletion() reads only numbers as token counts", () => {
  const cases: [usage: unknown, counts: number[]][] = [
    [undefined, [0, 0, 0]],
    [null, [0, 0, 0]],
    [{ prompt_tokens: 10, completion_tokens: 5 }, [10, 0, 5]],
    [
      { prompt_tokens: 10.5, prompt_tokens_details: { cached_tokens: 4 } },
      [10, 4, 0],
    ],
    [{ prompt_tokens: -1, completion_tokens: "many" }, [0, 0, 0]],
  ];
  for (const [usage, counts] of cases) {
    const { promptTokens, cachedTokens, completionTokens } = readCompletion(
      body({ content: "hi" }, "stop", { usage }),
    );
    assert.deepEqual([promptTokens, cachedTokens, completionTokens], counts);
  }
});

Deno.test("readCompletion(): any body is an answer, a model's mistake or a typed failure, whatever value a field has", () => {
  const odd = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom(null, "", 0, [], {}, [null], [{}], "hi", "stop"),
  );
  const message = fc.record({
    content: odd,
    refusal: odd,
    reasoning: odd,
    reasoning_content: odd,
    tool_calls: odd,
    function_call: odd,
  }, { requiredKeys: [] });
  const choice = fc.record(
    { message: fc.oneof(message, odd), finish_reason: odd, error: odd },
    { requiredKeys: [] },
  );
  const any = fc.record({
    choices: fc.oneof(fc.array(choice, { maxLength: 2 }), choice, odd),
    error: odd,
    usage: odd,
  }, { requiredKeys: [] });
  fc.assert(
    fc.property(fc.oneof(any, odd), (given) => {
      outcome(JSON.parse(JSON.stringify(given)));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("readCompletion() reads deep and long answers", () => {
  const deep = '{"a":'.repeat(2 ** 16) + "1" + "}".repeat(2 ** 16);
  const call = (args: unknown) =>
    body({ tool_calls: [{ function: { name: "look", arguments: args } }] });
  assert.match(outcome(call(deep)), /mistake/);
  const given = JSON.parse(
    `{"choices":[{"message":{"tool_calls":[{"function":{"name":"look","arguments":${deep}}}]}}]}`,
  );
  assert.match(outcome(given), /mistake/);
  const long = "x".repeat(2 ** 22);
  assert.equal(outcome(body({ content: long })), long);
});
