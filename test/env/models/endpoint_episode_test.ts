/** Tests how answers of an endpoint end an episode: with a score, or with a failure that excludes the episode. */

import assert from "node:assert/strict";
import { textAgent } from "../../../env/agents/text.ts";
import { toolCallingAgent } from "../../../env/agents/tool_calling.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rollout } from "../../../env/rollout.ts";
import type { Agent, Episode } from "../../../env/types.ts";
import { llmUser } from "../../../env/users/llm.ts";
import { sayingChatModel } from "../../support/chat_models.ts";
import { chatAnswer, modelServer } from "../../support/model_server.ts";
import { modelAt } from "../../support/served_models.ts";

const dataset = await generated(1, {
  trainTasks: 1,
  devTasks: 1,
  testTasks: 1,
});
const [task] = dataset.tasks("test");
assert.ok(task !== undefined);

/** Creates an answer with the given finish reason and, by default, only partial text. */
function broken(finish_reason: unknown, content: unknown = "Your refund is") {
  return {
    choices: [{ message: { role: "assistant", content }, finish_reason }],
  };
}

function refusal(status: number, error: object): Response {
  return Response.json({ error }, { status });
}

/**
 * Runs an episode in which the agent's model first returns a regular answer, and then the given answer to every
 * request.
 */
async function episodeWith(answer: unknown, agent?: Agent): Promise<Episode> {
  await using server = modelServer({
    answer: ({ index }) => {
      if (index === 0) {
        return chatAnswer(
          'Hello. Action:\n{"name": "respond", "arguments": {"content": "Hi"}}',
        );
      }
      return answer instanceof Response ? answer.clone() : answer;
    },
  });
  const model = modelAt(server, { retries: 0 });
  return await rollout({
    dataset,
    task: task!,
    agent: agent ?? toolCallingAgent({ model }),
    user: llmUser({ dataset, model: sayingChatModel("And my refund?") }),
    seed: 1,
    retries: 0,
    maxTurns: 4,
  });
}

const FAILURES: [from: string, answer: unknown, kind: string, words: RegExp][] =
  [
    ["an error that broke off", broken("error"), "server_error", /"error"/],
    ["an abort", broken("abort"), "aborted", /"abort"/],
    [
      "a network error",
      broken("network_error"),
      "server_error",
      /network_error/,
    ],
    ["Gemini's filter", broken("SAFETY", null), "bad_response", /SAFETY/],
    [
      "a filter with its reason",
      broken("content_filter: SPII", null),
      "bad_response",
      /SPII/,
    ],
    [
      "an unknown end",
      broken("lost_interest"),
      "bad_response",
      /lost_interest/,
    ],
    [
      "an empty answer without an end",
      broken(null, null),
      "bad_response",
      /neither text nor calls/,
    ],
    [
      "an error in place of choices",
      { choices: [], error: { code: 429, message: "slow down" } },
      "rate_limited",
      /slow down/,
    ],
    [
      "null for choices",
      { choices: null },
      "bad_response",
      /not a chat completion/,
    ],
    ["a word for an error", { error: "upstream" }, "server_error", /upstream/],
    [
      "a refusal",
      refusal(401, { message: "no such key" }),
      "refused",
      /no such key/,
    ],
  ];

for (const [from, answer, kind, words] of FAILURES) {
  Deno.test(`an episode is not scored for ${from}`, async () => {
    const episode = await episodeWith(answer);
    assert.equal(episode.stopReason, "failed");
    assert.equal(episode.reward, null);
    assert.equal(episode.parseErrors, 0);
    assert.equal(episode.failure?.kind, kind);
    assert.equal(episode.failure?.source, "model");
    assert.match(episode.failure?.message ?? "", words);
    assert.equal(episode.turns.length, 1, "nothing was said of what broke off");
  });
}

const FULL: [from: string, answer: unknown][] = [
  [
    "OpenAI's code",
    refusal(400, { message: "Too much", code: "context_length_exceeded" }),
  ],
  [
    "vLLM's words",
    refusal(400, {
      message:
        "The decoder prompt (length 20) is longer than the maximum model length of 10.",
    }),
  ],
  [
    "Anthropic's words",
    refusal(400, {
      type: "invalid_request_error",
      message: "prompt is too long: 20 tokens > 10 maximum",
    }),
  ],
  ["an answer that was cut", broken("length")],
  ["Anthropic's end", broken("model_context_window_exceeded")],
];

for (const [from, answer] of FULL) {
  Deno.test(`an episode that ran out of tokens is scored: ${from}`, async () => {
    const episode = await episodeWith(answer);
    assert.equal(episode.failure, null);
    assert.equal(episode.stopReason, "out_of_tokens");
    assert.equal(episode.reward?.value, 0);
  });
}

Deno.test("an episode continues after Gemini's malformed call, and the model is told", async () => {
  const episode = await episodeWith(
    broken("function_call_filter: MALFORMED_FUNCTION_CALL", null),
  );
  assert.equal(episode.failure, null);
  assert.equal(episode.stopReason, "parse_errors");
  const told = episode.messages.filter(({ role, content }) =>
    role === "user" && /^Error: .*malformed/.test(content)
  );
  assert.equal(told.length, episode.parseErrors);
});

Deno.test("an episode of a text-action agent is not scored for a partial action", async () => {
  await using server = modelServer({
    answer: () =>
      broken(
        "error",
        'Action:\n{"name": "respond", "arguments": {"content": "Your',
      ),
  });
  const model = modelAt(server, { retries: 0 });
  const episode = await episodeWith(
    null,
    textAgent({ model, strategy: "act" }),
  );
  assert.equal(episode.failure?.kind, "server_error");
  assert.equal(episode.turns.length, 0);
});
