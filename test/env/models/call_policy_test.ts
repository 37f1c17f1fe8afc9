import assert from "node:assert/strict";
import {
  CallFailure,
  kindOfStatus,
  MAX_BACKOFF_MS,
  retryAfterOf,
} from "../../../env/models/call_policy.ts";
import { createRateLimiter } from "../../../env/models/rate_limit.ts";
import { testCaller } from "../../support/callers.ts";

/** Returns a function that throws one failure per call, in order, and then returns an answer. */
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

Deno.test("Caller.call() retries with exponential backoff and counts the retries", async () => {
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

Deno.test("Caller.call() waits as long as the server requests, and equally long for the same seed", async () => {
  const caller = testCaller();
  await caller.call({ attempt: flaky([busy(1234)]), seed: 1 });
  assert.deepEqual(caller.waits, [1234]);
  const [a, b] = [testCaller(), testCaller()];
  await a.call({ attempt: flaky([busy()]), seed: 7 });
  await b.call({ attempt: flaky([busy()]), seed: 7 });
  assert.deepEqual(a.waits, b.waits);
});

Deno.test("Caller.call() limits its own backoff", async () => {
  const caller = testCaller({ retries: 30, backoffMs: 1000 });
  await caller.call({
    attempt: flaky(Array.from({ length: 30 }, () => busy())),
    seed: 1,
  });
  assert.ok(Math.max(...caller.waits) <= MAX_BACKOFF_MS * 1.5);
});

Deno.test("Caller.call() throws a typed failure with its source after the last retry", async () => {
  const caller = testCaller({ retries: 2, source: "user" });
  const attempt = flaky([busy(), busy(), busy(), busy()]);
  await assert.rejects(caller.call({ attempt, seed: 1 }), {
    name: "InfrastructureError",
    kind: "rate_limited",
    source: "user",
    message: "busy (3 attempts)",
  });
});

Deno.test("Caller.call() does not retry after a rejection", async () => {
  const caller = testCaller();
  const refused = new CallFailure("no such model", { kind: "refused" });
  await assert.rejects(caller.call({ attempt: flaky([refused]), seed: 1 }), {
    kind: "refused",
  });
  assert.deepEqual(caller.waits, []);
});

Deno.test("Caller.call() treats other errors as a broken connection", async () => {
  const caller = testCaller({ retries: 0 });
  const attempt = () => Promise.reject(new TypeError("connection reset"));
  await assert.rejects(caller.call({ attempt, seed: 1 }), {
    kind: "connection",
    message: "connection reset",
  });
});

Deno.test("Caller.call() aborts an attempt that exceeds its timeout, and retries", async () => {
  const caller = testCaller({ timeoutMs: 5, retries: 1 });
  let attempts = 0;
  const attempt = (signal: AbortSignal) =>
    attempts++ > 0 ? Promise.resolve("late but there") : hang(signal);
  assert.equal((await caller.call({ attempt, seed: 1 })).retries, 1);
});

Deno.test("Caller.call() retries less if the server has never responded", async () => {
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

Deno.test("Caller.call() leaves no listeners on the run's signal", async () => {
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

Deno.test("Caller.call() rejects immediately with the reason of an abort, during an attempt or a wait", async () => {
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

Deno.test("Caller.call() delays all calls if a server requests one of them to wait", async () => {
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

Deno.test("kindOfStatus() distinguishes temporary from permanent failures", () => {
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
