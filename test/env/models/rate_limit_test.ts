import assert from "node:assert/strict";
import fc from "fast-check";
import { createRateLimiter } from "../../../env/models/rate_limit.ts";

/** A clock that advances only in `run()`, which wakes sleeping callers in the order in which they are due. */
class FakeClock {
  time = 0;
  #sleepers: { at: number; wake: () => void }[] = [];

  readonly now = () => this.time;
  readonly sleep = (ms: number) =>
    new Promise<void>((wake) =>
      this.#sleepers.push({ at: this.time + ms, wake })
    );

  async run(): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const next = this.#sleepers.sort((a, b) => a.at - b.at).shift();
      if (next === undefined) return;
      this.time = Math.max(this.time, next.at);
      next.wake();
    }
  }
}

Deno.test("RateLimiter.turn() keeps the rate and the order of the calls", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 600 }),
      async (callers, requestsPerMinute) => {
        const clock = new FakeClock();
        const limiter = createRateLimiter({ requestsPerMinute, ...clock });
        const begun: [caller: number, at: number][] = [];
        for (let i = 0; i < callers; i++) {
          limiter.turn().then(() => begun.push([i, clock.time]));
        }
        await clock.run();
        assert.deepEqual(begun.map(([i]) => i), [...begun.keys()]);
        for (const [i, at] of begun) {
          assert.ok(
            Math.abs(at - i * 60_000 / requestsPerMinute) < 1e-6 * at + 1e-6,
          );
        }
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("RateLimiter.pause() delays calls that already wait, and keeps the rate afterwards", async () => {
  const clock = new FakeClock();
  const limiter = createRateLimiter({ requestsPerMinute: 60, ...clock });
  const begun: number[] = [];
  for (let i = 0; i < 3; i++) limiter.turn().then(() => begun.push(clock.time));
  limiter.pause(10_000);
  await clock.run();
  // The first call started before the pause.
  assert.deepEqual(begun, [0, 10_000, 11_000]);
});

Deno.test("RateLimiter.pause() never changes the order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 15 }),
      fc.array(fc.integer({ min: 0, max: 9000 }), { maxLength: 4 }),
      async (callers, pauses) => {
        const clock = new FakeClock();
        const limiter = createRateLimiter({ requestsPerMinute: 60, ...clock });
        const begun: [caller: number, at: number][] = [];
        for (let i = 0; i < callers; i++) {
          limiter.turn().then(() => begun.push([i, clock.time]));
        }
        for (const at of pauses) {
          clock.sleep(at).then(() => limiter.pause(2500));
        }
        await clock.run();
        assert.deepEqual(begun.map(([i]) => i), [...Array(callers).keys()]);
        for (const [i, [, at]] of begun.entries()) {
          assert.ok(i === 0 || at >= begun[i - 1]![1] + 1000);
          const paused = pauses.some((from) => at > from && at < from + 2500);
          assert.ok(!paused, `${at}`);
        }
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("RateLimiter.turn(): an aborted waiter passes its slot on, but not early", async () => {
  const clock = new FakeClock();
  const limiter = createRateLimiter({ requestsPerMinute: 60, ...clock });
  const begun: number[] = [];
  const leaver = new AbortController();
  const turn = (options = {}) =>
    limiter.turn(options).then(() => begun.push(clock.time));
  await turn();
  const second = turn();
  const left = turn({ signal: leaver.signal });
  const fourth = turn();
  leaver.abort(new Error("enough"));
  await assert.rejects(left, /^Error: enough$/);
  await clock.run();
  await Promise.all([second, fourth]);
  assert.deepEqual(begun, [0, 1000, 2000]);
});

Deno.test("RateLimiter.turn() does not wait without a limit, and rejects if aborted", async () => {
  const limiter = createRateLimiter({
    requestsPerMinute: 0,
    sleep: () => Promise.reject(new Error("it waited")),
  });
  await Promise.all([limiter.turn(), limiter.turn(), limiter.turn()]);
  await assert.rejects(
    limiter.turn({ signal: AbortSignal.abort(new Error("enough")) }),
    /enough/,
  );
});
