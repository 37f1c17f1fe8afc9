import assert from "node:assert/strict";
import fc from "fast-check";
import { generated } from "../../../env/generated/generated.ts";
import { createMeter } from "../../../env/models/meter.ts";
import type { EpisodeAnswer } from "../../../env/serve/episode_answer.ts";
import {
  EpisodeService,
  type EpisodeWorld,
} from "../../../env/serve/episode_service.ts";
import { episodesApp } from "../../../env/serve/episodes_app.ts";
import { STOP, type UserFactory } from "../../../env/types.ts";
import { testCaller } from "../../support/callers.ts";
import { type ModelRequest, modelServer } from "../../support/model_server.ts";
import { callText, tinyCodec } from "../../support/tiny_codec.ts";

const codec = tinyCodec();
const { tokenizer } = codec;
const [END = 0] = tokenizer.stopIds;
const dataset = await generated(7, {
  trainTasks: 4,
  devTasks: 1,
  testTasks: 1,
});
const TOOLS = dataset.tools.map((tool) => tool.function.name);

/** Arbitrary texts that an engine may answer with: messages, markers, calls and text actions. */
const words = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.constantFrom("", "\n\n", "<tool_call>\n", "<|im_start|>user\n", "Action:"),
  fc.record({
    name: fc.constantFrom("transfer_away", ...TOOLS),
    json: fc.constantFrom("{}", '{"order_id": "#W1"}', "[", "3"),
  }).map(({ name, json }) => callText(name, json)),
  fc.constantFrom(...TOOLS).map((name) =>
    `Thought:\nhm\nAction:\n{"name": "${name}", "arguments": {}}`
  ),
);
/**
 * Arbitrary answers as token ids. Most of them have an end token, because an answer that is cut off ends the episode.
 */
const answers = fc.oneof(
  {
    weight: 6,
    arbitrary: words.map((text) => [...tokenizer.encode(text), END]),
  },
  {
    weight: 2,
    arbitrary: fc.array(fc.nat(tokenizer.vocabSize - 1), { maxLength: 8 })
      .map((ids) => [...ids.filter((id) => id !== END), END]),
  },
  { weight: 1, arbitrary: words.map((text) => [...tokenizer.encode(text)]) },
).filter((ids) => ids.length > 0);

const replies = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: "grapheme", maxLength: 20 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom("", "<|im_end|>\n<|im_start|>x", "</tool_call>"),
  },
  { weight: 1, arbitrary: fc.constant(STOP) },
);

const episodes = fc.record({
  strategy: fc.constantFrom("tool-calling", "act", "react"),
  /** The engine's answers in order. After the last one, they start again with the first. */
  answers: fc.array(answers, { minLength: 1, maxLength: 6 }),
  replies: fc.array(replies, { minLength: 1, maxLength: 4 }),
  maxTokens: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(200)),
  /** The number of tokens left in the context after the first prompt. */
  room: fc.integer({ min: 1, max: 3000 }),
  task: fc.nat(3),
});

type EpisodeCase = typeof episodes extends fc.Arbitrary<infer T> ? T : never;

function userOf({ replies }: EpisodeCase): UserFactory {
  return () => {
    let said = 0;
    const say = () => Promise.resolve(replies[said++ % replies.length]!);
    return { open: say, reply: say };
  };
}

/** A request to the engine: the token ids that the engine received, and the token ids that it sampled. */
interface Turn {
  readonly shown: readonly number[];
  readonly sampled: readonly number[];
  readonly logprobs: readonly number[];
}

/**
 * Creates an engine that returns the answers of a test case, truncated at the token limit, and records its requests in
 * `turns`.
 */
function engineOf({ answers }: EpisodeCase, turns: Turn[]) {
  return modelServer({
    answer({ body }: ModelRequest) {
      const all = answers[turns.length % answers.length]!;
      const sampled = all.slice(0, body.sampling_params.max_new_tokens);
      const logprobs = sampled.map((id, i) => -(1 + id % 7 + i) / 16);
      turns.push({ shown: body.input_ids, sampled, logprobs });
      return {
        meta_info: {
          finish_reason: { type: sampled.at(-1) === END ? "stop" : "length" },
          output_token_logprobs: sampled.map((
            id,
            i,
          ) => [logprobs[i], id, null]),
        },
      };
    },
  });
}

function worldOf(one: EpisodeCase): EpisodeWorld {
  return {
    dataset,
    codec,
    strategy: one.strategy,
    prompt: "none",
    compat: false,
    user: userOf(one),
    userName: "arbitrary",
    meter: createMeter(),
    caller: testCaller(),
    modelName: "policy",
    contextLength: 100_000,
    maxTokensPerTurn: 64,
    maxTurns: 12,
    retries: 0,
  };
}

async function play(
  one: EpisodeCase,
): Promise<{ sample: EpisodeAnswer; turns: readonly Turn[] }> {
  const turns: Turn[] = [];
  await using engine = engineOf(one, turns);
  const service = new EpisodeService(worldOf(one));
  const app = episodesApp({ service, version: "0" });
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  const url = `http://127.0.0.1:${server.addr.port}/episodes`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      task: one.task,
      split: "train",
      seed: 1,
      session_id: "s",
      engine: engine.url,
      sampling_params: { max_new_tokens: one.maxTokens },
      max_context_tokens: 100 + one.room,
    }),
  });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  return { sample: JSON.parse(text), turns };
}

Deno.test("POST /episodes: in any conversation the mask is 1 exactly on the ids that the engine sampled, with their log probabilities", async () => {
  const seen = { turns: 0, statuses: new Set<string>() };
  await fc.assert(
    fc.asyncProperty(episodes, async (one) => {
      const { sample, turns } = await play(one);
      assert.equal(sample.remove_sample, false, JSON.stringify(sample));
      const { tokens, prompt_length: prompt } = sample;
      const mask = new Array<number>(tokens.length).fill(0);
      const logprobs = new Array<number>(tokens.length).fill(0);
      for (const { shown, sampled, logprobs: given } of turns) {
        // The ids before an answer are the same in training as in sampling.
        assert.deepEqual(tokens.slice(0, shown.length), shown);
        const end = shown.length + sampled.length;
        assert.deepEqual(tokens.slice(shown.length, end), sampled);
        sampled.forEach((_, i) => {
          mask[shown.length + i] = 1;
          logprobs[shown.length + i] = given[i]!;
        });
      }
      assert.equal(turns[0]!.shown.length, prompt);
      assert.deepEqual(sample.loss_mask, mask.slice(prompt));
      assert.deepEqual(sample.rollout_log_probs, logprobs.slice(prompt));
      assert.equal(sample.response_length, tokens.length - prompt);
      const trained = sample.spans.filter(({ trainable }) => trainable);
      assert.deepEqual(
        trained.map(({ length }) => length),
        turns.map(({ sampled }) => sampled.length),
      );
      assert.equal(
        sample.spans.reduce((sum, { length }) => sum + length, 0),
        sample.response_length,
      );
      seen.turns += turns.length;
      seen.statuses.add(sample.status);
    }),
    { numRuns: 200 },
  );
  // The cases cover all kinds of episodes.
  assert.ok(seen.turns > 300, `${seen.turns}`);
  assert.deepEqual([...seen.statuses].sort(), ["completed", "truncated"]);
});
