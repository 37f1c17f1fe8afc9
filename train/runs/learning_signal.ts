/** Whether RL has anything to learn from: groups whose rewards differ, or conversations that earned the reward. */

import type { Metrics } from "./metrics.ts";

/** RL's last steps without anything to learn from, rejection fine-tuning included. */
export function idleSteps(lines: readonly Metrics[]): number {
  const steps = lines.filter(isOfRl);
  const last = steps.findLastIndex((line) => !isIdle(line));
  return steps.length - 1 - last;
}

/** Whether RL had nothing to learn from in all of its steps, although tasks were left unsolved. */
export function neverLearnt(lines: readonly Metrics[]): boolean {
  const steps = lines.filter(isOfRl);
  return steps.length > 0 && idleSteps(lines) === steps.length &&
    steps.some(({ reward }) => reward < 1);
}

type RlLine = Extract<Metrics, { phase: "rft" | "rl" }>;

function isOfRl(line: Metrics): line is RlLine {
  return line.phase === "rft" || line.phase === "rl";
}

function isIdle(line: RlLine): boolean {
  return line.phase === "rft" ? line.solved === 0 : line.trainedGroups === 0;
}
