import assert from "node:assert/strict";
import { prefixSessions } from "../../../env/serve/prefix_sessions.ts";
import type { GenerateRequest, TokenModel } from "../../../env/types.ts";

/**
 * Creates a model that answers each request with one token. It records the session of each request in `seen`, and each
 * released session in `released`.
 */
function notingModel() {
  const seen: string[] = [];
  const released: string[] = [];
  const model: TokenModel = {
    name: "noting",
    contextLength: 1000,
    async generate({ session }) {
      seen.push(session);
      await Promise.resolve();
      return { ids: [99], logprobs: [0], finishReason: "stop" };
    },
    release: (session) => void released.push(session),
  };
  return { model, seen, released };
}

function request(ids: number[]): Omit<GenerateRequest, "session"> {
  return { ids, maxTokens: 1, temperature: 0, stopIds: [99], seed: 1 };
}

const PROMPT = Array.from({ length: 20 }, (_, i) => i);

Deno.test("prefixSessions() continues the session that shares the longest prefix", async () => {
  const { model, seen } = notingModel();
  const sessions = prefixSessions(model);
  await sessions.generate(request(PROMPT));
  await sessions.generate(request([...PROMPT.slice(0, 10), 77]));
  const result = await sessions.generate(request([...PROMPT, 99, 5]));
  // The second request took over the first session; the third shares its first ten tokens with it.
  assert.deepEqual(new Set(seen).size, 1);
  assert.equal(result.cachedTokens, 10);
});

Deno.test("prefixSessions() leaves busy sessions alone, and does not share a session for a few tokens", async () => {
  const { model, seen } = notingModel();
  const sessions = prefixSessions(model);
  await Promise.all([
    sessions.generate(request(PROMPT)),
    sessions.generate(request(PROMPT)),
    sessions.generate(request([0, 1, 2, 50])),
  ]);
  assert.equal(new Set(seen).size, 3);
  assert.equal(sessions.running, 0);
});

Deno.test("prefixSessions() drops the least recently used session, and all idle ones on flush()", async () => {
  const { model, seen, released } = notingModel();
  const sessions = prefixSessions(model);
  for (let i = 0; i < 300; i++) {
    await sessions.generate(request(PROMPT.map((id) => id + 1000 * i)));
  }
  assert.deepEqual(released, seen.slice(0, 300 - 256));
  sessions.flush();
  assert.equal(released.length, 300);
});
