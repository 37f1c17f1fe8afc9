import assert from "node:assert/strict";
import fc from "fast-check";
import { advantages, variance } from "../../train/advantage.ts";

const group = fc.array(fc.integer({ min: 0, max: 10 }), {
  minLength: 1,
  maxLength: 12,
});

Deno.test("advantages() sums to zero and keeps the order of the rewards", () => {
  fc.assert(fc.property(group, (rewards) => {
    const out = advantages(rewards);
    assert.ok(Math.abs(out.reduce((a, b) => a + b, 0)) < 1e-9);
    rewards.forEach((a, i) =>
      rewards.forEach((b, j) =>
        assert.equal(Math.sign(a - b), Math.sign(out[i]! - out[j]!))
      )
    );
  }));
});

Deno.test("advantages() with divideByStd has variance one, and zeros where a group agrees", () => {
  fc.assert(fc.property(group, (rewards) => {
    const out = advantages(rewards, { divideByStd: true });
    const spread = variance(out);
    if (new Set(rewards).size === 1) {
      assert.deepEqual(
        out,
        rewards.map(() => 0),
      );
    } else assert.ok(Math.abs(spread - 1) < 1e-9, `${spread}`);
  }));
});

Deno.test("advantages() refuses an empty group", () => {
  assert.throws(() => advantages([]), RangeError);
});
