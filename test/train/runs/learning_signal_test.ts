import assert from "node:assert/strict";
import {
  idleSteps,
  neverLearned,
} from "../../../train/runs/learning_signal.ts";
import type { Metrics } from "../../../train/runs/metrics.ts";

const rft = (solved: number, reward = 0) =>
  ({ phase: "rft", solved, reward }) as Metrics;
const rl = (trainedGroups: number, reward = 0) =>
  ({ phase: "rl", trainedGroups, reward }) as Metrics;
const evaluated = { phase: "eval" } as Metrics;

Deno.test("idleSteps() counts the steps at the end of the last phase that had nothing to learn from", () => {
  const cases: [readonly Metrics[], number, string][] = [
    [[], 0, "RL"],
    [[rl(0), rl(2)], 0, "RL"],
    [[rl(2), rl(0), evaluated, rl(0)], 2, "RL"],
    [[rft(1), rft(0), rft(0)], 2, "rejection fine-tuning"],
    [[rft(0), rft(0), rl(0)], 1, "RL"],
    [[rft(4), rl(0)], 1, "RL"],
  ];
  for (const [lines, steps, phase] of cases) {
    assert.deepEqual(idleSteps(lines), { steps, phase });
  }
});

Deno.test("neverLearned() is true if no step had anything to learn from and tasks were left unsolved", () => {
  assert.equal(neverLearned([]), false);
  assert.equal(neverLearned([rft(0), evaluated, rl(0)]), true);
  assert.equal(neverLearned([rft(0), rl(1, 0.2)]), false);
  assert.equal(neverLearned([rft(1, 0.1), rl(0)]), false);
  // Everything was solved from the start.
  assert.equal(neverLearned([rl(0, 1), rl(0, 1)]), false);
});
