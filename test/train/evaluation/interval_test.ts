import assert from "node:assert/strict";
import fc from "fast-check";
import { createRng } from "../../../env/random.ts";
import { estimateShare } from "../../../train/evaluation/interval.ts";
import { solvedShare } from "../../../train/evaluation/pass_k.ts";

Deno.test("estimateShare() covers the true share 19 times of 20, for any share and number of trials", () => {
  for (
    const [tasks, trials, easy] of [
      [50, 1, 0.5],
      [115, 1, 0.95],
      [50, 4, 0.3],
      [40, 8, 0.8],
    ] as const
  ) {
    let held = 0;
    const rounds = 600;
    // Tasks differ in difficulty, so trials of one task are correlated.
    const truth = (easy + easy * easy) / 2;
    for (let round = 0; round < rounds; round++) {
      const rng = createRng(round, "coverage", tasks, trials);
      const shares = Array.from({ length: tasks }, () => {
        const skill = rng.next() < 0.5 ? easy : easy * easy;
        const wins = Array.from({ length: trials }, () => rng.next() < skill);
        return solvedShare(
          { trials, successes: wins.filter(Boolean).length },
          1,
        );
      });
      const { low, high } = estimateShare(shares);
      if (low <= truth && truth <= high) held++;
    }
    assert.ok(held / rounds > 0.925, `${tasks} x ${trials}: ${held / rounds}`);
  }
});

Deno.test("estimateShare() has a positive width if all tasks agree, and stays within 0..1", () => {
  const all = estimateShare(Array(50).fill(1));
  assert.equal(all.value, 1);
  assert.ok(all.low > 0.9 && all.low < 0.95 && all.high === 1);
  const none = estimateShare(Array(50).fill(0));
  assert.ok(none.low === 0 && none.high > 0.05 && none.high < 0.1);
  assert.ok(Number.isNaN(estimateShare([]).value));
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 }),
    (shares) => {
      const { value, low, high } = estimateShare(shares);
      assert.ok(
        0 <= low && low <= value + 1e-9 && value <= high + 1e-9 && high <= 1,
      );
    },
  ));
});

Deno.test("estimateShare() is narrower with more tasks", () => {
  const width = (count: number) => {
    const { low, high } = estimateShare(
      Array.from({ length: count }, (_, i) => i % 2),
    );
    return high - low;
  };
  assert.ok(width(400) < width(100) && width(100) < width(25));
});
