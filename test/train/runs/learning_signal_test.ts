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

Deno.test("idleSteps() counts the RL steps at the end that had nothing to learn from", () => {
  const cases: [readonly Metrics[], number][] = [
    [[], 0],
    [[rl(0), rl(2)], 0],
    [[rl(2), rl(0), evaluated, rl(0)], 2],
    [[rft(0), rft(0), rl(0)], 3],
    [[rft(4), rl(0)], 1],
  ];
  for (const [lines, idle] of cases) assert.equal(idleSteps(lines), idle);
});

Deno.test("neverLearned() is true if no step had anything to learn from and tasks were left unsolved", () => {
  assert.equal(neverLearned([]), false);
  assert.equal(neverLearned([rft(0), evaluated, rl(0)]), true);
  assert.equal(neverLearned([rft(0), rl(1, 0.2)]), false);
  assert.equal(neverLearned([rft(1, 0.1), rl(0)]), false);
  // Everything was solved from the start.
  assert.equal(neverLearned([rl(0, 1), rl(0, 1)]), false);
});
