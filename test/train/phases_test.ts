import assert from "node:assert/strict";
import { makeConfig } from "../../train/config/config.ts";
import { devSteps } from "../../train/phases.ts";

Deno.test("devSteps() are the ends of phases and every n-th step after the cold start, each once", () => {
  const of = (rft: number, rl: number, every: number) =>
    devSteps(makeConfig({
      coldStart: { steps: 10 },
      rft: { steps: rft },
      rl: { steps: rl },
      eval: { every },
    }));
  assert.deepEqual(of(3, 4, 2), [10, 12, 13, 14, 16, 17]);
  assert.deepEqual(of(3, 4, 0), [10, 13, 17]);
  assert.deepEqual(of(0, 4, 2), [10, 12, 14]);
  assert.deepEqual(of(0, 0, 5), [10]);
});
