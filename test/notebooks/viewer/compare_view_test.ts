import assert from "node:assert/strict";
import { comparedPairs } from "../../../notebooks/viewer/page/compare_view.js";
import { pairedMean } from "../../../notebooks/viewer/page/paired.js";

const score = (task: string, solved: number, scored: number) => ({
  ...{ task, solved, scored, step: 0, reasons: null },
});

Deno.test("comparedPairs() pairs the tasks that both runs scored, worsened ones first", () => {
  const pairs = comparedPairs(
    [score("a", 2, 4), score("b", 4, 4), score("c", 0, 4), score("d", 1, 1)],
    [score("b", 1, 2), score("a", 4, 4), score("c", 0, 2), score("d", 0, 0)],
  );
  assert.deepEqual(pairs.map(({ task, by }) => [task, by]), [
    ["b", -0.5],
    ["c", 0],
    ["a", 0.5],
  ]);
});

Deno.test("pairedMean() is the mean difference with the interval of paired tasks", () => {
  const before = new Map([["a", 0.5], ["b", 1], ["c", 0], ["only", 1]]);
  const after = new Map([["a", 1], ["b", 0.5], ["c", 1]]);
  const { tasks, value, low, high } = pairedMean(before, after);
  assert.equal(tasks, 3);
  assert.ok(Math.abs(value - 1 / 3) < 1e-12);
  // Standard deviation of 0.5, -0.5, 1 is 0.7638; its standard error 0.4410.
  assert.ok(Math.abs(high - low - 2 * 1.959964 * 0.440959) < 1e-4);
  assert.ok(Number.isNaN(pairedMean(before, new Map()).value));
});
