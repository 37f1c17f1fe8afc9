import assert from "node:assert/strict";
import fc from "fast-check";
import { passK } from "../../../train/evaluation/pass_k.ts";

Deno.test("passK() of one is the mean success rate over tasks", () => {
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

Deno.test("passK() leaves out tasks with too few scored trials", () => {
  assert.equal(
    passK([{ successes: 2, trials: 2 }, { successes: 0, trials: 1 }], 2),
    1,
  );
  assert.ok(Number.isNaN(passK([{ successes: 0, trials: 0 }], 1)));
});
