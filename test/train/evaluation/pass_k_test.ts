import assert from "node:assert/strict";
import fc from "fast-check";
import { estimateShare } from "../../../train/evaluation/interval.ts";
import {
  type PassEpisode,
  passEstimates,
  passK,
} from "../../../train/evaluation/pass_k.ts";

Deno.test("passK() for k = 1 is the mean success rate over tasks", () => {
  const results = [{ successes: 1, trials: 2 }, { successes: 3, trials: 3 }];
  assert.equal(passK(results, 1), 0.75);
});

Deno.test("passK() is the share of subsets of k trials that all succeed", () => {
  const bits = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 });
  fc.assert(fc.property(bits, fc.integer({ min: 1, max: 4 }), (trials, k) => {
    fc.pre(k <= trials.length);
    const subsets = [...Array(2 ** trials.length).keys()]
      .map((mask) => trials.filter((_, i) => mask >> i & 1))
      .filter((subset) => subset.length === k);
    const expected = subsets.filter((subset) => subset.every(Boolean)).length /
      subsets.length;
    const successes = trials.filter(Boolean).length;
    const got = passK([{ successes, trials: trials.length }], k);
    assert.ok(Math.abs(got - expected) < 1e-12);
  }));
});

Deno.test("passK() skips tasks with too few scored trials", () => {
  assert.equal(
    passK([{ successes: 2, trials: 2 }, { successes: 0, trials: 1 }], 2),
    1,
  );
  assert.ok(Number.isNaN(passK([{ successes: 0, trials: 0 }], 1)));
});

function trials(taskId: string, ...rewards: (number | null)[]): PassEpisode[] {
  return rewards.map((reward) => ({ taskId, reward }));
}

Deno.test("passEstimates() returns pass^1 up to the maximum number of trials, each over tasks with enough trials", () => {
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

Deno.test("passEstimates() skips infrastructure failures, and counts rewards between 0 and 1 as not solved", () => {
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
