import assert from "node:assert/strict";
import {
  errorIn,
  type ErrorOrigin,
  nestedError,
  readServerError,
} from "../../../env/models/server_error.ts";

function read(body: unknown, origin: ErrorOrigin = {}) {
  const error = errorIn(body);
  assert.ok(error !== null, JSON.stringify(body));
  return readServerError(error, origin);
}

/** Errors that servers send in the body of a response with status 200. */
const BODIES: [from: string, body: unknown, kind: string, words: string][] = [
  [
    "OpenRouter",
    { error: { code: 502, message: "Provider returned error" } },
    "server_error",
    "Provider returned error",
  ],
  [
    "OpenRouter, with its provider's words",
    {
      error: {
        code: 429,
        message: "Provider returned error",
        metadata: {
          provider_name: "Google",
          raw: '{"error": {"code": 429, "message": "Resource exhausted"}}',
        },
      },
    },
    "rate_limited",
    "Provider returned error: Google: Resource exhausted",
  ],
  [
    "OpenRouter, with text that is not JSON",
    {
      error: {
        code: 400,
        message: "Provider returned error",
        metadata: { raw: "tool_choice is odd" },
      },
    },
    "refused",
    "Provider returned error: tool_choice is odd",
  ],
  [
    "choices next to an error",
    { choices: [], error: { code: 429, message: "slow down" } },
    "rate_limited",
    "slow down",
  ],
  [
    "no choices",
    { id: null, choices: null, error: { code: "503", message: "busy" } },
    "server_error",
    "busy",
  ],
  ["an error of one word", { error: "upstream" }, "server_error", "upstream"],
  ["a JSON string", "upstream is gone", "server_error", "upstream is gone"],
  [
    "a status in the message",
    { error: "Error code: 429 - too fast" },
    "rate_limited",
    "Error code: 429 - too fast",
  ],
  [
    "a message that begins with a status",
    { error: "404 page not found" },
    "refused",
    "404 page not found",
  ],
  [
    "Anthropic",
    {
      type: "error",
      error: { type: "overloaded_error", message: "Overloaded" },
    },
    "server_error",
    "Overloaded",
  ],
  [
    "Anthropic's limit",
    { type: "error", error: { type: "rate_limit_error", message: "Too fast" } },
    "rate_limited",
    "Too fast",
  ],
  [
    "Gemini",
    [{ error: { code: 503, message: "Overloaded.", status: "UNAVAILABLE" } }],
    "server_error",
    "Overloaded.",
  ],
  [
    "Google by name",
    { error: { status: "RESOURCE_EXHAUSTED", message: "Out of it" } },
    "rate_limited",
    "Out of it",
  ],
  [
    "SGLang",
    { object: "error", message: "bad", type: "BadRequestError", code: 400 },
    "refused",
    "bad",
  ],
  [
    "vLLM by name",
    { error: { message: "no", type: "NotFoundError" } },
    "refused",
    "no",
  ],
  [
    "OpenAI's exhausted credit",
    { error: { message: "No money", code: "insufficient_quota" } },
    "refused",
    "No money",
  ],
  [
    "MiniMax",
    {
      choices: null,
      base_resp: { status_code: 1002, status_msg: "rate limit exceeded(RPM)" },
    },
    "rate_limited",
    "rate limit exceeded(RPM)",
  ],
  [
    "MiniMax's exhausted credit",
    { base_resp: { status_code: 1008, status_msg: "insufficient balance" } },
    "refused",
    "insufficient balance",
  ],
  [
    "DashScope",
    { code: "Throttling", message: "Requests too fast", request_id: "r" },
    "rate_limited",
    "Requests too fast",
  ],
  [
    "FastAPI",
    { detail: [{ loc: ["body", "seed"], msg: "extra", type: "value_error" }] },
    "server_error",
    "body.seed: extra",
  ],
  ["FastAPI's text", { detail: "Not Found" }, "server_error", "Not Found"],
  [
    "Spring",
    { status: 500, error: "Internal Server Error", message: "null pointer" },
    "server_error",
    "Internal Server Error: null pointer",
  ],
  [
    "an error with the value true",
    { error: true, message: "it broke", code: 408 },
    "timeout",
    "it broke",
  ],
  [
    "an error in an error",
    { error: { error: { message: "deep", type: "invalid_request_error" } } },
    "refused",
    "deep",
  ],
  [
    "several errors",
    { errors: [{}, { message: "second" }] },
    "server_error",
    "second",
  ],
  ["a number", { error: 504 }, "server_error", '{"code":504}'],
  [
    "a key that is wrong",
    { error: "Incorrect API key provided" },
    "refused",
    "Incorrect API key provided",
  ],
  [
    "a model that does not exist",
    { error: "model 'llama9' not found, try pulling it first" },
    "refused",
    "model 'llama9' not found, try pulling it first",
  ],
];

for (const [from, body, kind, words] of BODIES) {
  Deno.test(`readServerError() reads ${from}`, () => {
    const error = read(body);
    assert.equal(error.kind, kind);
    assert.equal(error.words, words);
    assert.equal(error.isContextFull, false);
  });
}

Deno.test("errorIn() returns null for bodies without an error", () => {
  const bodies = [
    null,
    1,
    "",
    [],
    {},
    { error: null },
    { error: false },
    { error: "" },
    { error: {} },
    { error: [] },
    { error: 0 },
    { error: { code: 0, message: "" } },
    { error: { code: 200, message: "" } },
    { base_resp: { status_code: 0, status_msg: "" } },
    { hello: "world" },
  ];
  for (const body of bodies) assert.equal(errorIn(body), null);
  const beside = { choices: [{}], detail: "of the answer", error: null };
  assert.equal(nestedError(beside), null);
});

Deno.test("readServerError() uses the response's status, except for exhausted credit and a full context", () => {
  const limit = { error: { message: "x", type: "rate_limit_error" } };
  assert.equal(read(limit, { status: 400 }).kind, "refused");
  const spent = { error: { message: "x", type: "insufficient_quota" } };
  assert.equal(read(spent, { status: 429 }).kind, "refused");
  // Xinference responds with 500 and vLLM's message.
  const full = {
    detail:
      "[address=0.0.0.0:1] The decoder prompt (length 66501) is longer than the maximum model length of 65536.",
  };
  const { kind, isContextFull } = read(full, { status: 500 });
  assert.deepEqual([kind, isContextFull], ["refused", true]);
});

Deno.test("readServerError() reads how long a server requests to wait", () => {
  const headers = new Headers({ "retry-after": "7" });
  const cases: [error: object, origin: ErrorOrigin, ms: number | undefined][] =
    [
      [{ message: "x" }, { status: 429, headers }, 7000],
      [{ message: "Please retry in 20.04s." }, {}, 20_040],
      [{ message: "Please try again in 1m2.5s. Visit" }, {}, 62_500],
      [{ message: "Please try again in 350ms" }, {}, 350],
      [{ message: "x", retry_after: 3 }, {}, 3000],
      [{ message: "x", retry_after: "soon" }, {}, undefined],
      [{ message: "try again in a while" }, {}, undefined],
    ];
  for (const [error, origin, ms] of cases) {
    const { retryAfterMs } = read({ error }, origin);
    assert.equal(retryAfterMs, ms, JSON.stringify(error));
  }
});

Deno.test("readServerError() reads malformed, deep and long errors quickly", () => {
  for (const [start, end] of [['{"error":', "}"], ["[", "]"]] as const) {
    const depth = 2 ** 20 / start.length;
    const deep = JSON.parse(`${start.repeat(depth)}1${end.repeat(depth)}`);
    assert.equal(errorIn(deep), null);
  }
  for (const text of ["429 ", "rate", "model ", "code: ", "try again in 1"]) {
    const start = performance.now();
    read({ error: { message: text.repeat(2 ** 22 / text.length) } });
    assert.ok(performance.now() - start < 2000, text);
  }
  for (const odd of [[], {}, null, 1, true, "x"]) {
    for (const field of ["status", "message", "metadata", "type"]) {
      const { kind } = read({ error: { code: 500, [field]: odd } });
      assert.equal(kind, "server_error");
    }
  }
});
