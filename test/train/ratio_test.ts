import assert from "node:assert/strict";
import fc from "fast-check";
import { RATIO_NAMES, ratios } from "../../train/ratio.ts";

const logRatio = fc.double({ min: -3, max: 3, noNaN: true });
const sequence = fc.array(logRatio, { minLength: 1, maxLength: 20 });

for (const name of RATIO_NAMES) {
  Deno.test(`ratios() with ${name} are 1 on policy, and keep the geometric mean of the tokens' ratios`, () => {
    fc.assert(fc.property(sequence, (logs) => {
      assert.deepEqual(ratios(logs.map(() => 0), name), logs.map(() => 1));
      const sum = (all: readonly number[]) => all.reduce((a, b) => a + b, 0);
      const out = ratios(logs, name);
      assert.equal(out.length, logs.length);
      assert.ok(Math.abs(sum(out.map(Math.log)) - sum(logs)) < 1e-9);
    }));
  });
}

Deno.test("ratios() by token do not depend on other tokens", () => {
  fc.assert(fc.property(sequence, (logs) => {
    assert.deepEqual(
      ratios(logs, "token"),
      logs.flatMap((log) => ratios([log], "token")),
    );
  }));
});

Deno.test("ratios() by sequence are equal, within the range of the tokens' ratios, and the token's own if there is only one", () => {
  fc.assert(fc.property(sequence, logRatio, (logs, log) => {
    const [first, ...rest] = ratios(logs, "sequence");
    for (const other of rest) assert.equal(other, first);
    assert.deepEqual(ratios([log], "sequence"), ratios([log], "token"));
    assert.ok(first! <= Math.exp(Math.max(...logs)) * (1 + 1e-12));
    assert.ok(first! >= Math.exp(Math.min(...logs)) * (1 - 1e-12));
  }));
});
