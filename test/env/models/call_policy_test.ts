import assert from "node:assert/strict";
import {
  CallFailure,
  kindOfStatus,
  MAX_BACKOFF_MS,
  retryAfterOf,
} from "../../../env/models/call_policy.ts";
import { createRateLimiter } from "../../../env/models/rate_limit.ts";
import { testCaller } from "../../support/callers.ts";

/** Fails with each failure in turn, then answers. */
function flaky(failures: readonly CallFailure[]): () => Promise<string> {
  const left = [...failures];
  return () => {
    const failure = left.shift();
    return failure === undefined
      ? Promise.resolve("answer")
      : Promise.reject(failure);
  };
}

function busy(retryAfterMs?: number): CallFailure {
  return new CallFailure("busy", { kind: "rate_limited", retryAfterMs });
}

Deno.test("Caller.call() tries again, twice as late each time, and says how often", async () => {
  const caller = testCaller({ backoffMs: 100 });
  const attempt = flaky(Array.from({ length: 4 }, () => busy()));
  assert.deepEqual(await caller.call({ attempt, seed: 1 }), {
    value: "answer",
    retries: 4,
  });
  for (const [i, wait] of caller.waits.entries()) {
    assert.ok(wait >= 50 * 2 ** i && wait < 150 * 2 ** i, `${wait}`);
  }
});

Deno.test("Caller.call() waits as long as the server asks, and as long again for the same seed", async () => {
  const caller = testCaller();
  await caller.call({ attempt: flaky([busy(1234)]), seed: 1 });
  assert.deepEqual(caller.waits, [1234]);
  const [a, b] = [testCaller(), testCaller()];
  await a.call({ attempt: flaky([busy()]), seed: 7 });
  await b.call({ attempt: flaky([busy()]), seed: 7 });
  assert.deepEqual(a.waits, b.waits);
});

Deno.test("Caller.call() never waits longer than the most by its own choice", async () => {
  const caller = testCaller({ retries: 30, backoffMs: 1000 });
  await caller.call({
    attempt: flaky(Array.from({ length: 30 }, () => busy())),
    seed: 1,
  });
  assert.ok(Math.max(...caller.waits) <= MAX_BACKOFF_MS * 1.5);
});

Deno.test("Caller.call() gives up after the last retry with a typed failure of its source", async () => {
  const caller = testCaller({ retries: 2, source: "user" });
  const attempt = flaky([busy(), busy(), busy(), busy()]);
  await assert.rejects(caller.call({ attempt, seed: 1 }), {
    name: "InfrastructureError",
    kind: "rate_limited",
    source: "user",
    message: "busy (3 attempts)",
  });
});

Deno.test("Caller.call() does not try again after a plain no", async () => {
  const caller = testCaller();
  const refused = new CallFailure("no such model", { kind: "refused" });
  await assert.rejects(caller.call({ attempt: flaky([refused]), seed: 1 }), {
    kind: "refused",
  });
  assert.deepEqual(caller.waits, []);
});

Deno.test("Caller.call() takes a throw of another kind for a broken connection", async () => {
  const caller = testCaller({ retries: 0 });
  const attempt = () => Promise.reject(new TypeError("connection reset"));
  await assert.rejects(caller.call({ attempt, seed: 1 }), {
    kind: "connection",
    message: "connection reset",
  });
});

Deno.test("Caller.call() ends an attempt that takes too long, and tries again", async () => {
  const caller = testCaller({ timeoutMs: 5, retries: 1 });
  let attempts = 0;
  const attempt = (signal: AbortSignal) =>
    attempts++ > 0 ? Promise.resolve("late but there") : hang(signal);
  assert.equal((await caller.call({ attempt, seed: 1 })).retries, 1);
});

Deno.test("Caller.call() does not insist on a server that has never answered, and does on one that has", async () => {
  const gone = () => new CallFailure("refused", { kind: "connection" });
  const silence = Array.from({ length: 5 }, gone);
  const caller = testCaller({ retries: 6 });
  await assert.rejects(caller.call({ attempt: flaky(silence), seed: 1 }), {
    kind: "connection",
    message: /3 attempts/,
  });
  await caller.call({ attempt: flaky([]), seed: 1 });
  const { retries } = await caller.call({ attempt: flaky(silence), seed: 1 });
  assert.equal(retries, 5);
});

Deno.test("Caller.call() cuts an attempt's signal loose from the run's, which outlives thousands of them", async () => {
  const run = new AbortController();
  let own: AbortSignal | undefined;
  const attempt = (signal: AbortSignal) => {
    own = signal;
    return Promise.resolve("answer");
  };
  await testCaller().call({ attempt, seed: 1, signal: run.signal });
  run.abort();
  assert.equal(own?.aborted, false);
});

Deno.test("Caller.call() ends at once with the reason of an abort, while it asks and while it waits", async () => {
  const asking = new AbortController();
  const asked = testCaller().call({
    attempt: hang,
    seed: 1,
    signal: asking.signal,
  });
  asking.abort(new Error("enough"));
  await assert.rejects(asked, /^Error: enough$/);

  const waiting = new AbortController();
  const caller = testCaller({
    sleep: (_ms, { signal }) => hang(signal ?? waiting.signal),
  });
  const waited = caller.call({
    attempt: flaky([busy()]),
    seed: 1,
    signal: waiting.signal,
  });
  queueMicrotask(() => waiting.abort(new Error("enough")));
  await assert.rejects(waited, /^Error: enough$/);
});

Deno.test("Caller.call() lets all calls wait where a server asks one of them to", async () => {
  let time = 0;
  const sleep = (ms: number) => {
    time += ms;
    return Promise.resolve();
  };
  const limiter = createRateLimiter({
    requestsPerMinute: 0,
    now: () => time,
    sleep,
  });
  const caller = testCaller({ limiter, sleep });
  await caller.call({ attempt: flaky([busy(5000)]), seed: 1 });
  assert.equal(time, 5000);
});

Deno.test("retryAfterOf() reads seconds, milliseconds and dates, and nothing else", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  const of = (init: Record<string, string>) =>
    retryAfterOf(new Headers(init), now);
  assert.equal(of({ "retry-after": "1.5" }), 1500);
  assert.equal(of({ "retry-after-ms": "20", "retry-after": "9" }), 20);
  assert.equal(of({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }), 30_000);
  for (const wrong of ["soon", "", "-1", "Wed, 31 Dec 2025 00:00:00 GMT"]) {
    assert.equal(of({ "retry-after": wrong }), undefined, wrong);
  }
  assert.equal(of({}), undefined);
});

Deno.test("kindOfStatus() knows what another try may change", () => {
  const kinds = [200, 400, 401, 404, 408, 409, 422, 429, 500, 503].map(
    kindOfStatus,
  );
  assert.deepEqual(kinds, [
    undefined,
    "refused",
    "refused",
    "refused",
    "timeout",
    "server_error",
    "refused",
    "rate_limited",
    "server_error",
    "server_error",
  ]);
});

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}
