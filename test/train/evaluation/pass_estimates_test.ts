import assert from "node:assert/strict";
import fc from "fast-check";
import { estimateShare } from "../../../train/evaluation/interval.ts";
import {
  type PassEpisode,
  passEstimates,
} from "../../../train/evaluation/pass_k.ts";
import { passK } from "../../../train/evaluation/pass_k.ts";

function trials(taskId: string, ...rewards: (number | null)[]): PassEpisode[] {
  return rewards.map((reward) => ({ taskId, reward }));
}

Deno.test("passEstimates() gives pass^1 to the most trials of a task, over tasks that have as many", () => {
  const estimates = passEstimates([
    ...trials("a", 1, 1, 0),
    ...trials("b", 1, 0),
    ...trials("c", null, 1),
  ]);
  assert.deepEqual(estimates, [
    estimateShare([2 / 3, 1 / 2, 1]),
    estimateShare([1 / 3, 0]),
    estimateShare([0]),
  ]);
});

Deno.test("passEstimates() counts what infrastructure broke as no trial, and rewards between 0 and 1 as not solved", () => {
  assert.deepEqual(passEstimates(trials("a", null, null)), []);
  assert.equal(passEstimates(trials("a", 0.9))[0]?.value, 0);
  assert.equal(passEstimates([])[0], undefined);
});

Deno.test("passEstimates() agrees with passK() and does not depend on the order", () => {
  const episodes = fc.array(
    fc.record({
      taskId: fc.constantFrom("a", "b", "c"),
      reward: fc.constantFrom(0, 1, null),
    }),
    { maxLength: 30 },
  );
  fc.assert(fc.property(episodes, (all) => {
    const estimates = passEstimates(all);
    const results = [...Map.groupBy(all, ({ taskId }) => taskId).values()].map((
      ones,
    ) => ({
      trials: ones.filter(({ reward }) => reward !== null).length,
      successes: ones.filter(({ reward }) => reward === 1).length,
    }));
    for (const [i, { value, low, high }] of estimates.entries()) {
      assert.ok(Math.abs(value - passK(results, i + 1)) < 1e-12);
      assert.ok(low <= value + 1e-12 && value <= high + 1e-12);
    }
    const reversed = passEstimates(all.toReversed()).map(({ value }) => value);
    for (const [i, value] of reversed.entries()) {
      assert.ok(Math.abs(value - estimates[i]!.value) < 1e-12);
    }
  }));
});
