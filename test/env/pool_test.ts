import assert from "node:assert/strict";
import { createPool } from "../../env/pool.ts";

Deno.test("createPool() limits concurrency, keeps the order and continues after a failure", async () => {
  const pool = createPool(2);
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const runs = gates.map(({ promise }, index) =>
    pool(() => {
      begun.push(index);
      return promise;
    })
  );
  assert.deepEqual(begun, [0, 1]);
  gates[1]!.reject(new Error("no"));
  await assert.rejects(runs[1]!, /no/);
  assert.deepEqual(begun, [0, 1, 2]);
  for (const { resolve } of gates) resolve();
  await Promise.all([runs[0], runs[2], runs[3]]);
  assert.deepEqual(begun, [0, 1, 2, 3]);
});
