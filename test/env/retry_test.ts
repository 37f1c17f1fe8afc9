import assert from "node:assert/strict";
import fc from "fast-check";
import { poll, retry, sleep } from "../../env/retry.ts";

/** Creates a sleep function that takes no time and records the requested times in `waits`. */
function instant() {
  const waits: number[] = [];
  return { waits, sleep: (ms: number) => Promise.resolve(void waits.push(ms)) };
}

function failing(times: number, error: unknown = new Error("busy")) {
  return (retries: number) =>
    retries < times ? Promise.reject(error) : Promise.resolve(retries);
}

Deno.test("retry() doubles its waits up to the maximum, and passes the number of retries", async () => {
  const { waits, sleep } = instant();
  const options = { backoffMs: 10, maxBackoffMs: 40, sleep };
  assert.equal(await retry(failing(4), options), 4);
  assert.deepEqual(waits, [10, 20, 40, 40]);
});

Deno.test("retry() applies jitter of up to half the wait", async () => {
  await fc.assert(fc.asyncProperty(
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    async (moved) => {
      const { waits, sleep } = instant();
      const jitter = () => moved;
      await retry(failing(3), { backoffMs: 8, factor: 3, jitter, sleep });
      assert.deepEqual(waits, [8, 24, 72].map((ms) => ms * (0.5 + moved)));
    },
  ));
});

Deno.test("retry() honors Retry-After beyond the longest wait", async () => {
  const { waits, sleep } = instant();
  await retry(failing(2, { ms: 500 }), {
    backoffMs: 1,
    maxBackoffMs: 2,
    retryAfterMs: (error) => (error as { ms: number }).ms,
    sleep,
  });
  assert.deepEqual(waits, [500, 500]);
});

Deno.test("retry() throws the last error after the last retry, and immediately an error that must not be retried", async () => {
  const { waits, sleep } = instant();
  const options = { backoffMs: 1, retries: 2, sleep };
  await assert.rejects(retry(failing(9), options), /^Error: busy$/);
  assert.equal(waits.length, 2);
  const isRetried = () => false;
  await assert.rejects(retry(failing(9), { ...options, isRetried }), /busy/);
  assert.equal(waits.length, 2);
});

Deno.test("retry() retries values that count as failures, and returns the last one", async () => {
  const { sleep } = instant();
  const seen: unknown[] = [];
  const last = await retry((retries) => Promise.resolve(retries), {
    backoffMs: 1,
    retries: 2,
    isFailure: () => true,
    onRetry: ({ value, retries, waitMs }) =>
      seen.push([value, retries, waitMs]),
    sleep,
  });
  assert.equal(last, 2);
  assert.deepEqual(seen, [[0, 0, 1], [1, 1, 2]]);
});

Deno.test("retry() stops retrying after its timeout", async () => {
  const attempt = () => Promise.reject(new Error("busy"));
  const options = { backoffMs: 5, factor: 1, timeoutMs: 20 };
  await assert.rejects(retry(attempt, options), /busy/);
});

Deno.test("retry() begins with a wait after earlier failures", async () => {
  const { waits, sleep } = instant();
  const options = { backoffMs: 10, failures: 2, sleep };
  assert.equal(await retry(failing(4), options), 4);
  assert.deepEqual(waits, [20, 40, 80]);
});

Deno.test("retry() and sleep() reject with the signal's own reason", async () => {
  const reason = new Error("enough");
  const signal = AbortSignal.abort(reason);
  const equal = (error: unknown) => error === reason;
  await assert.rejects(sleep(60_000, { signal }), equal);
  await assert.rejects(retry(failing(1), { backoffMs: 1, signal }), equal);
  const later = new AbortController();
  const waiting = retry(failing(1), {
    backoffMs: 60_000,
    signal: later.signal,
    onRetry: () => queueMicrotask(() => later.abort(reason)),
  });
  await assert.rejects(waiting, equal);
});

Deno.test("poll() calls at a fixed interval until there is a value or the timeout is over", async () => {
  const { waits, sleep } = instant();
  let asked = 0;
  const ask = () => Promise.resolve(++asked > 3 ? "there" : undefined);
  assert.equal(await poll(ask, { everyMs: 7, sleep }), "there");
  assert.deepEqual(waits, [7, 7, 7]);
  const never = () => Promise.resolve(undefined);
  assert.equal(await poll(never, { everyMs: 1, timeoutMs: 5 }), undefined);
});
