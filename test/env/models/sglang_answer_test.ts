import assert from "node:assert/strict";
import fc from "fast-check";
import { CallFailure } from "../../../env/models/call_policy.ts";
import { readGenerated } from "../../../env/models/sglang_answer.ts";

const SAMPLED = [[-0.5, 7, null], [-0.25, 9, "."]];

/** Creates an answer as if it were parsed from JSON, without undefined properties. */
function answer(info: Record<string, unknown>, rest: object = {}): unknown {
  return JSON.parse(JSON.stringify({
    text: "x",
    output_ids: [7, 9],
    meta_info: {
      finish_reason: { type: "stop", matched: 9 },
      output_token_logprobs: SAMPLED,
      ...info,
    },
    ...rest,
  }));
}

function failureOf(body: unknown): CallFailure {
  try {
    readGenerated(body);
  } catch (error) {
    if (error instanceof CallFailure) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(body)} was read`);
}

Deno.test("readGenerated() reads ids, log probabilities and the finish reason", () => {
  assert.deepEqual(
    readGenerated(
      answer({ prompt_tokens: 3, cached_tokens: 2, weight_version: "12" }),
    ),
    {
      result: {
        ids: [7, 9],
        logprobs: [-0.5, -0.25],
        finishReason: "stop",
        weightVersion: "12",
      },
      promptTokens: 3,
      cachedTokens: 2,
    },
  );
  const cut = readGenerated(
    answer({ finish_reason: { type: "length", length: 2 } }),
  );
  assert.equal(cut.result.finishReason, "length");
});

Deno.test("readGenerated() recognizes an abort, with or without sampled ids", () => {
  const cases: [reason: object, kind: string][] = [
    [{ message: "Abort in waiting queue" }, "aborted"],
    [{}, "aborted"],
    [{ message: null, status_code: null, err_type: null }, "aborted"],
    [{ message: "Aborted", status_code: "odd" }, "aborted"],
    [
      { message: "waited too long in the queue", status_code: 503 },
      "server_error",
    ],
    [{ message: "the grammar cannot be read", status_code: 400 }, "refused"],
  ];
  for (const [reason, kind] of cases) {
    const finish = { finish_reason: { type: "abort", ...reason } };
    for (
      const sampled of [undefined, null, [], [[null, null]], SAMPLED]
    ) {
      const body = answer({ ...finish, output_token_logprobs: sampled }, {
        output_ids: [],
      });
      assert.equal(failureOf(body).kind, kind, JSON.stringify(body));
    }
  }
});

Deno.test("readGenerated() rejects an unknown finish reason", () => {
  const reasons = [{ type: "paused" }, { type: "STOP" }, { type: "" }];
  for (const reason of [...reasons, "stop", null, undefined, {}]) {
    const { kind, message } = failureOf(answer({ finish_reason: reason }));
    assert.equal(kind, "bad_response");
    assert.match(message, /finish reason/);
  }
});

Deno.test("readGenerated() ignores an optional field of an unexpected type", () => {
  const odd = fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.constant({}),
    fc.constant([]),
    fc.constant(-1.5),
  );
  const given = readGenerated(answer({}));
  fc.assert(fc.property(odd, odd, odd, odd, (a, b, c, d) => {
    const read = readGenerated(answer({
      prompt_tokens: a,
      cached_tokens: b,
      weight_version: typeof c === "number" ? null : c,
      finish_reason: { type: "stop", message: d, status_code: d },
      spec_verify_ct: d,
    }, { output_ids: null, text: d }));
    assert.deepEqual(read, given);
  }));
  assert.equal(given.result.weightVersion, undefined);
});

Deno.test("readGenerated() reads a version that is a number", () => {
  const { result } = readGenerated(answer({ weight_version: 4 }));
  assert.equal(result.weightVersion, "4");
});

Deno.test("readGenerated() rejects anything but a list of log probabilities and ids", () => {
  const cases: unknown[] = [
    undefined,
    null,
    [],
    "x",
    [[-1]],
    [[-1, 7], null],
    [[-1, 7.5]],
    [[-1, -7]],
    [[-1, "7"]],
    [["-1", 7]],
    [[0.5, 7]],
    [[-Infinity, 7]],
    [[NaN, 7]],
    [[-1, 7], [null, 9]],
  ];
  for (const sampled of cases) {
    const body = answer({ output_token_logprobs: sampled }, {
      output_ids: undefined,
    });
    assert.equal(failureOf(body).kind, "bad_response", JSON.stringify(sampled));
  }
  for (const ids of [[], [7], [7, 8], [7, 9, 9], ["7", 9]]) {
    assert.match(
      failureOf(answer({}, { output_ids: ids })).message,
      /output_ids that differ/,
    );
  }
  for (const body of [null, 3, "x", [], {}, { meta_info: null }]) {
    assert.equal(failureOf(body).kind, "bad_response");
  }
});
