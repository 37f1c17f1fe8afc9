import assert from "node:assert/strict";
import fc from "fast-check";
import {
  ADVANTAGE_NAMES,
  advantages,
  variance,
} from "../../train/advantage.ts";

const group = fc.array(fc.integer({ min: 0, max: 10 }), {
  minLength: 1,
  maxLength: 12,
});
/** Arbitrary groups whose rewards are not all equal. */
const mixed = group.filter((rewards) => new Set(rewards).size > 1);

function close(actual: readonly number[], expected: readonly number[]) {
  assert.equal(actual.length, expected.length);
  actual.forEach((value, i) =>
    assert.ok(Math.abs(value - expected[i]!) < 1e-9, `${actual}; ${expected}`)
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

for (const name of ADVANTAGE_NAMES) {
  Deno.test(`advantages() with ${name} sum to zero and keep the order of the rewards`, () => {
    fc.assert(fc.property(group, (rewards) => {
      const out = advantages(rewards, name);
      assert.ok(Math.abs(out.reduce((a, b) => a + b, 0)) < 1e-9);
      rewards.forEach((a, i) =>
        rewards.forEach((b, j) =>
          assert.equal(Math.sign(a - b), Math.sign(out[i]! - out[j]!))
        )
      );
    }));
  });

  Deno.test(`advantages() with ${name} are zeros if all rewards are equal`, () => {
    fc.assert(
      fc.property(
        fc.nat(10),
        fc.integer({ min: 1, max: 9 }),
        (r, n) =>
          assert.deepEqual(
            advantages(Array(n).fill(r), name),
            Array(n).fill(0),
          ),
      ),
    );
  });

  Deno.test(`advantages() with ${name} rejects an empty group`, () => {
    assert.throws(() => advantages([], name), RangeError);
  });
}

Deno.test("advantages() keep the rewards' variance with dr-grpo, the default", () => {
  fc.assert(fc.property(group, (rewards) => {
    const out = advantages(rewards);
    assert.deepEqual(out, advantages(rewards, "dr-grpo"));
    assert.ok(Math.abs(variance(out) - variance(rewards)) < 1e-9);
  }));
});

Deno.test("advantages() with grpo have variance 1", () => {
  fc.assert(fc.property(mixed, (rewards) => {
    const spread = variance(advantages(rewards, "grpo"));
    assert.ok(Math.abs(spread - 1) < 1e-9, `${spread}`);
  }));
});

Deno.test("advantages() compare each reward with the mean of the others with rloo", () => {
  fc.assert(fc.property(mixed, (rewards) => {
    const expected = rewards.map((reward, i) =>
      reward - meanOf(rewards.filter((_, j) => j !== i))
    );
    close(advantages(rewards, "rloo"), expected);
  }));
});

Deno.test("advantages() with maxrl of a success are 1 divided by the share of successes, minus 1", () => {
  const bits = fc.array(fc.constantFrom(0, 1), { minLength: 2, maxLength: 12 })
    .filter((rewards) => new Set(rewards).size > 1);
  fc.assert(fc.property(bits, (rewards) => {
    const share = meanOf(rewards);
    close(
      advantages(rewards, "maxrl"),
      rewards.map((reward) => reward === 1 ? 1 / share - 1 : -1),
    );
  }));
  assert.throws(
    () => advantages([1, -1], "maxrl"),
    /non-negative rewards, but one is -1/,
  );
});
