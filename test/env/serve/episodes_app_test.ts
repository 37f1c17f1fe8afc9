import assert from "node:assert/strict";
import { generated } from "../../../env/generated/generated.ts";
import { createMeter } from "../../../env/models/meter.ts";
import type { EpisodeAnswer } from "../../../env/serve/episode_answer.ts";
import {
  EpisodeService,
  type EpisodeWorld,
} from "../../../env/serve/episode_service.ts";
import type { BodyLimits } from "../../../env/serve/bounded_json.ts";
import { episodesApp } from "../../../env/serve/episodes_app.ts";
import { setTimeout as delay } from "node:timers/promises";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { testCaller } from "../../support/callers.ts";
import {
  type ModelRequest,
  modelServer,
  type ModelServerOptions,
} from "../../support/model_server.ts";
import { tinyCodec } from "../../support/tiny_codec.ts";

const codec = tinyCodec();
const { tokenizer } = codec;
const dataset = await generated(7, {
  trainTasks: 4,
  devTasks: 1,
  testTasks: 1,
});
const split = "train";

/** Returns the answer of an SGLang engine that always samples the same text. */
function answer({ path, body }: ModelRequest): unknown {
  if (path !== "/generate") return {};
  const ids = tokenizer.encode("Let me look" + tokenizer.endToken);
  return {
    output_ids: ids,
    meta_info: {
      finish_reason: { type: "stop" },
      prompt_tokens: body.input_ids.length,
      cached_tokens: 4,
      weight_version: "3",
      output_token_logprobs: ids.map((id, at) => [-0.5 - at / 8, id, null]),
    },
  };
}

interface Opened extends AsyncDisposable {
  readonly url: string;
  readonly service: EpisodeService;
  readonly requests: readonly ModelRequest[];
  ask(fields?: object, init?: RequestInit): Promise<Response>;
}

function open(
  { engine = {}, world = {}, token, limits }: {
    engine?: Partial<ModelServerOptions>;
    world?: Partial<EpisodeWorld>;
    token?: string;
    limits?: BodyLimits;
  } = {},
): Opened {
  const server = modelServer({ answer, ...engine });
  const service = new EpisodeService({
    dataset,
    codec,
    strategy: "tool-calling",
    prompt: "none",
    compat: false,
    user: scriptedUser(dataset),
    userName: "scripted",
    meter: createMeter(),
    caller: testCaller(),
    modelName: "policy",
    contextLength: 100_000,
    maxTokensPerTurn: 64,
    maxTurns: 3,
    retries: 0,
    ...world,
  });
  const app = episodesApp({
    service,
    version: "0",
    ...(limits === undefined ? {} : { limits }),
    ...(token === undefined ? {} : { token }),
  });
  const http = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    app.fetch,
  );
  const url = `http://127.0.0.1:${http.addr.port}`;
  const request = { task: 0, split, seed: 1, session_id: "s-1" };
  return {
    url,
    service,
    requests: server.requests,
    ask: (fields = {}, init = {}) =>
      fetch(`${url}/episodes`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...request, engine: server.url, ...fields }),
        ...init,
      }),
    async [Symbol.asyncDispose]() {
      service.stop();
      await server[Symbol.asyncDispose]();
      await http.shutdown();
    },
  };
}

async function answerTo(response: Promise<Response>): Promise<EpisodeAnswer> {
  const got = await response;
  const text = await got.text();
  assert.equal(got.status, 200, text);
  return JSON.parse(text);
}

function checkLengths(sample: EpisodeAnswer): void {
  const { tokens, prompt_length, response_length, spans } = sample;
  assert.ok(prompt_length >= 1 && response_length >= 1);
  assert.equal(tokens.length, prompt_length + response_length);
  assert.equal(sample.loss_mask.length, response_length);
  assert.equal(sample.rollout_log_probs.length, response_length);
  const total = spans.reduce((sum, { length }) => sum + length, 0);
  assert.equal(total, response_length);
  sample.loss_mask.forEach((mask, at) => {
    if (mask === 0) assert.equal(sample.rollout_log_probs[at], 0);
  });
}

Deno.test("POST /episodes returns exactly the sampled ids", async () => {
  await using served = open();
  const sample = await answerTo(served.ask());
  checkLengths(sample);
  assert.equal(sample.status, "truncated");
  assert.equal(sample.remove_sample, false);
  const said = sample.spans.filter(({ trainable }) => trainable);
  assert.equal(said.length, 3);
  assert.equal(said[0]!.meta_info!.weight_version, "3");
  assert.deepEqual(
    served.requests.map(({ headers }) => headers.get("x-smg-routing-key")),
    ["s-1", "s-1", "s-1"],
  );
  const last = served.requests.at(-1)!.body.input_ids as number[];
  assert.deepEqual(sample.tokens.slice(0, last.length), last);
  const about = sample.metadata.taulab as Record<string, unknown>;
  assert.equal(about.split, split);
  assert.equal(about.task_id, dataset.tasks(split)[0]!.id);
});

Deno.test("POST /episodes removes an episode whose engine returned ids outside the vocabulary", async () => {
  await using served = open({
    engine: {
      answer: () => ({
        meta_info: {
          finish_reason: { type: "stop" },
          output_token_logprobs: [[-1, 2 ** 30], [-1, 2 ** 30 + 1]],
        },
      }),
    },
    world: { caller: testCaller({ retries: 0 }) },
  });
  const sample = await answerTo(served.ask());
  checkLengths(sample);
  assert.ok(sample.remove_sample);
  const about = sample.metadata.taulab as Record<string, unknown>;
  assert.equal(about.reward, null);
  assert.match(JSON.stringify(about), /the id 1073741824/);
});

Deno.test("POST /episodes gives the same episode for the same seed", async () => {
  await using served = open();
  const [one, two] = await Promise.all([
    answerTo(served.ask()),
    answerTo(served.ask({ session_id: "s-2" })),
  ]);
  assert.deepEqual(one.tokens, two.tokens);
});

Deno.test("POST /episodes removes episodes with infrastructure failures, and does not score them", async () => {
  await using served = open({
    engine: { faults: { seed: 4, share: 0.2, kinds: ["500", "drop", "half"] } },
    world: { caller: testCaller({ retries: 0 }) },
  });
  const samples = await Promise.all(
    Array.from({ length: 40 }, (_, seed) => answerTo(served.ask({ seed }))),
  );
  samples.forEach(checkLengths);
  const removed = samples.filter((sample) => sample.remove_sample);
  assert.ok(removed.length > 0 && removed.length < 40);
  for (const sample of removed) {
    assert.equal(sample.status, "aborted");
    assert.ok(sample.loss_mask.every((mask) => mask === 0));
    const about = sample.metadata.taulab as { reward: unknown };
    assert.equal(about.reward, null);
  }
  const metrics = await (await fetch(`${served.url}/metrics`)).text();
  assert.match(metrics, /taulab_episodes_total\{status="aborted"\} \d+/);
  assert.match(metrics, /taulab_failures_total\{source="model"/);
  assert.match(metrics, /taulab_episodes_running 0/);
});

/** SGLang's answers to a request that is aborted while it runs, or while it waits in the queue. */
const ABORTS = {
  "under way": {
    output_ids: [1],
    meta_info: {
      finish_reason: { type: "abort", message: "Aborted", status_code: null },
      weight_version: "3",
      output_token_logprobs: [[-1, 1, null]],
    },
  },
  "in the queue": {
    text: "",
    output_ids: [],
    meta_info: {
      id: "r",
      finish_reason: { type: "abort", message: "Abort in waiting queue" },
      weight_version: null,
      e2e_latency: 0.1,
      completion_tokens: 0,
    },
  },
};

for (const [when, aborted] of Object.entries(ABORTS)) {
  Deno.test(`POST /episodes ends at the engine's first abort of a request ${when}`, async () => {
    await using served = open({
      engine: { answer: () => aborted },
      world: { retries: 3 },
    });
    const sample = await answerTo(served.ask());
    assert.equal(sample.status, "aborted");
    assert.equal(sample.remove_sample, true);
    assert.equal(
      served.requests.filter(({ path }) => path === "/generate").length,
      1,
    );
  });
}

Deno.test("POST /episodes stops when the client disconnects", async () => {
  let reached = Promise.withResolvers<void>();
  await using served = open({
    engine: {
      faults: ({ path }) => {
        if (path !== "/generate") return undefined;
        reached.resolve();
        return "stall";
      },
    },
  });
  const client = new AbortController();
  const running = served.service.begin({
    task: 0,
    split,
    seed: 1,
    session_id: "s",
    engine: served.url,
    evaluation: false,
    sampling_params: { temperature: 1, top_p: 1, top_k: -1 },
  })(client.signal);
  client.abort();
  assert.equal((await running).status, "aborted");
  const leaver = new AbortController();
  const left = served.ask({}, { signal: leaver.signal });
  await reached.promise;
  reached = Promise.withResolvers<void>();
  leaver.abort();
  await assert.rejects(left.then((response) => response.text()));
  const ended = performance.now();
  while (served.service.running > 0) await delay(5);
  assert.ok(performance.now() - ended < 1000);
  const asked = served.ask();
  await reached.promise;
  served.service.stop();
  assert.equal((await answerTo(asked)).status, "aborted");
  assert.equal(served.service.running, 0);
});

Deno.test("POST /episodes reports what is wrong with a request", async () => {
  await using served = open();
  const cases: [object, number, RegExp][] = [
    [{ task: -1 }, 400, /task/],
    [{ engine: "gpu1:3100" }, 400, /engine: must be http/],
    [{ engine: "http://u@127.0.0.1:1" }, 400, /engine: must be http/],
    [{ engine: "http://127.0.0.1:1/x?y" }, 400, /engine: must be http/],
    [{ engine: "http://10.0.0.1:3100" }, 403, /--allow-engine HOST/],
    [{ engine: "http://[::ffff:10.0.0.1]:1" }, 403, /--allow-engine HOST/],
    [{ engine: "http://gpu1:3100" }, 403, /bridge.allowEngines/],
    [{ tasks: 3 }, 400, /tasks/],
    [{ sampling_params: { top_p: 0.9 } }, 400, /top_p 0\.9/],
    [{ sampling_params: { temperature: 0 } }, 400, /temperature/],
    [{ sampling_params: { stop: ["\n"] } }, 400, /omit stop/],
    [
      { sampling_params: { min_p: 0.1, n: 2 } },
      400,
      /omit n, min_p/,
    ],
    [{ task: 100_000 }, 404, /no task 100000/],
    [{ instruction: "Another" }, 409, /another split/],
  ];
  for (const [fields, status, message] of cases) {
    const response = await served.ask(fields);
    assert.equal(response.status, status, JSON.stringify(fields));
    assert.match((await response.json()).error.message, message);
  }
  assert.equal(served.requests.length, 0);
});

Deno.test("POST /episodes samples greedily if an evaluation requests it", async () => {
  await using served = open();
  const sampling_params = {
    top_k: 1,
    top_p: 0.7,
    temperature: 1,
    repetition_penalty: 1.1,
    min_new_tokens: 0,
    stop: [],
    stop_token_ids: null,
  };
  await answerTo(served.ask({ evaluation: true, sampling_params }));
  const sent = served.requests[0]!.body.sampling_params;
  assert.equal(sent.temperature, 0);
  assert.equal(sent.top_p, 0.7);
  assert.equal(sent.repetition_penalty, 1.1);
  assert.equal("min_new_tokens" in sent, false);
});

Deno.test("POST /episodes rejects episodes while it shuts down, and when the budget is used up", async () => {
  await using served = open();
  served.service.drain();
  const response = await served.ask();
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  await response.body?.cancel();
  const meter = createMeter({ maxTokens: 1 });
  await using poor = open({ world: { meter } });
  meter.record({ source: "user", model: "m" }, {
    promptTokens: 9,
    cachedTokens: 0,
    completionTokens: 9,
    retries: 0,
  });
  const refused = await poor.ask();
  assert.equal(refused.status, 402);
  await refused.body?.cancel();
});

Deno.test("episodesApp() requires its token except for health checks", async () => {
  await using served = open({ token: "open sesame".replaceAll(" ", "-") });
  const refused = await served.ask();
  assert.equal(refused.status, 401);
  assert.match(refused.headers.get("www-authenticate") ?? "", /^Bearer /);
  await refused.body?.cancel();
  const headers = {
    authorization: "Bearer open-sesame",
    "content-type": "application/json",
  };
  checkLengths(await answerTo(served.ask({}, { headers })));
  const health = await (await fetch(`${served.url}/health`)).json();
  assert.deepEqual(health.episodes, { running: 0, done: 1, removed: 0 });
  const info = await (await fetch(`${served.url}/info`, { headers })).json();
  assert.equal(info.splits[split], dataset.tasks(split).length);
});

Deno.test("engines receive the router's key as a bearer token, and no answer contains it", async () => {
  const guarded = (request: ModelRequest) => {
    const shown = request.headers.get("authorization");
    return shown === "Bearer right-key"
      ? answer(request)
      : new Response(`no such key: ${shown}`, { status: 401 });
  };
  await using served = open({
    world: { engineKey: "right-key" },
    engine: { answer: guarded },
  });
  assert.equal((await answerTo(served.ask())).status, "truncated");
  await using wrong = open({
    world: { engineKey: "wrong-key" },
    engine: { answer: guarded },
  });
  const text = JSON.stringify(await answerTo(wrong.ask()));
  assert.match(text, /answered 401/);
  assert.doesNotMatch(text, /wrong-key/);
  await using without = open({ engine: { answer: guarded } });
  await answerTo(without.ask());
  assert.equal(without.requests[0]!.headers.get("authorization"), null);
});

/** Answers of a server that is not SGLang, keyed by their description. The client must never see the word `secret`. */
const SECRETS: Readonly<Record<string, () => unknown>> = {
  "a refusal": () => Response.json({ error: "secret" }, { status: 403 }),
  "a failure": () => new Response("secret", { status: 500 }),
  "an error within 200": () => ({ error: { message: "secret", code: 401 } }),
  "other JSON": () => ({ secret: "secret" }),
  "text": () => new Response("secret"),
  "an unknown finish": () => ({
    meta_info: { finish_reason: { type: "secret" } },
  }),
  "an abort": () => ({
    meta_info: { finish_reason: { type: "abort", message: "secret" } },
  }),
};

for (const [what, answered] of Object.entries(SECRETS)) {
  Deno.test(`POST /episodes does not return text of an engine that answers with ${what}, but records it`, async () => {
    const records: string[] = [];
    await using served = open({
      engine: { answer: answered },
      world: {
        caller: testCaller({ retries: 0 }),
        onEpisode: ({ episode }) => records.push(JSON.stringify(episode)),
      },
    });
    const text = JSON.stringify(await answerTo(served.ask()));
    assert.doesNotMatch(text, /secret/);
    assert.match(text, /"message":"The engine/);
    // An abort ends the episode before it is recorded.
    if (what !== "an abort") assert.match(records.join(), /secret/);
  });
}

for (const status of [301, 302, 303, 307, 308]) {
  Deno.test(`POST /episodes does not follow an engine's redirect ${status}`, async () => {
    await using elsewhere = modelServer({ answer });
    const location = `${elsewhere.url}/generate`;
    await using served = open({
      engine: {
        answer: () => new Response(null, { status, headers: { location } }),
      },
      world: { caller: testCaller({ retries: 0 }), engineKey: "router-key" },
    });
    const sample = await answerTo(served.ask());
    assert.ok(sample.remove_sample);
    const text = JSON.stringify(sample);
    assert.match(text, new RegExp(`The engine answered ${status}`));
    assert.equal(elsewhere.requests.length, 0);
  });
}

Deno.test("POST /episodes connects to the host that it has checked, in any spelling", async () => {
  await using served = open();
  const { port } = new URL(served.url);
  const refused = await served.ask({ engine: `http://${0x0a000001}:${port}` });
  assert.equal(refused.status, 403);
  assert.match(await refused.text(), /10\.0\.0\.1/);
  await using engine = modelServer({ answer });
  const spelled = engine.url.replace("127.0.0.1", "0x7f.1");
  checkLengths(await answerTo(served.ask({ engine: spelled })));
  assert.ok(engine.requests.length > 0);
});

/**
 * Connects to a server and sends the raw text that `send` writes. Returns the server's response, which is read until it
 * contains an error code or ends.
 */
async function raw(
  url: string,
  send: (write: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<string> {
  const { hostname, port } = new URL(url);
  using connection = await Deno.connect({ hostname, port: Number(port) });
  const bytes = new Uint8Array(4096);
  let [heard, isAnswered] = ["", false];
  const hearing = (async () => {
    while (!heard.includes('"code":')) {
      const count = await connection.read(bytes);
      if (count === null) break;
      heard += new TextDecoder().decode(bytes.subarray(0, count));
    }
    isAnswered = true;
  })();
  await send(async (text) => {
    if (isAnswered) throw new Error("answered");
    await connection.write(new TextEncoder().encode(text));
  }).catch(() => {}); // the server may close first
  await hearing;
  return heard;
}

const HEAD =
  "POST /episodes HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n";

Deno.test("POST /episodes rejects a body that does not arrive in time", async () => {
  await using served = open({ limits: { timeoutMs: 100 } });
  const silent = await raw(
    served.url,
    async (write) =>
      void await write(`${HEAD}content-length: 100\r\n\r\n{"task"`),
  );
  assert.match(silent, /^HTTP\/1.1 408 /);
  assert.match(silent, /The body did not arrive within 0.1 s/);
  const dripping = await raw(served.url, async (write) => {
    await write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
    for (let i = 0; i < 1000; i++) {
      await write("1\r\n \r\n");
      await delay(5);
    }
  });
  assert.match(dripping, /^HTTP\/1.1 408 /);
});

Deno.test("POST /episodes rejects bodies that are too large, with and without a declared length", async () => {
  await using served = open({ limits: { maxBytes: 2000 } });
  const instruction = "x".repeat(3000);
  const declared = await served.ask({ instruction });
  assert.equal(declared.status, 413);
  await declared.body?.cancel();
  const endless = await raw(served.url, async (write) => {
    await write(`${HEAD}transfer-encoding: chunked\r\n\r\n`);
    for (;;) await write(`400\r\n${" ".repeat(0x400)}\r\n`);
  });
  assert.match(endless, /^HTTP\/1.1 413 /);
});

Deno.test("POST /episodes rejects hostile JSON quickly", async () => {
  await using served = open();
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const long = JSON.stringify("x".repeat(900_000));
  const from = performance.now();
  for (
    const body of [
      deep,
      `{"task":${deep}}`,
      `{"split":${long}}`,
      `{"domain":${long},"task":0}`,
      `{${long}:1}`,
      `{"engine":${long}}`,
    ]
  ) {
    const response = await served.ask({}, { body });
    assert.equal(response.status, 400, body.slice(0, 20));
    await response.body?.cancel();
  }
  assert.ok(performance.now() - from < 3000);
});
