import assert from "node:assert/strict";
import { createYielder } from "../../env/yielder.ts";
import { generated } from "../../env/generated/generated.ts";

Deno.test("createYielder() yields to other work in a loop that never waits", async () => {
  const yieldIfDue = createYielder();
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const end = performance.now() + 5_000;
  while (turns < 3 && performance.now() < end) await yieldIfDue();
  clearInterval(timer);
  assert.equal(turns, 3);
});

Deno.test("generated() of a million tasks stops when aborted, both while drawing and while certifying", async () => {
  const tasks = { devTasks: 1, testTasks: 1 };
  const signal = AbortSignal.timeout(100);
  await assert.rejects(
    generated(1, { ...tasks, trainTasks: 1_000_000 }, { signal }),
    { name: "TimeoutError" },
  );
  const controller = new AbortController();
  await assert.rejects(
    generated(1, { ...tasks, trainTasks: 500 }, {
      signal: controller.signal,
      onTask: () => setTimeout(() => controller.abort()),
    }),
    { name: "AbortError" },
  );
});
