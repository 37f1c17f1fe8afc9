/**
 * Checks whether RL has anything to learn from: groups whose rewards differ, or conversations that earned a
 * reward.
 */

import type { Metrics } from "./metrics.ts";

/**
 * Returns the number of consecutive RL steps, at the end of a run, in which there was nothing to learn from. Steps of
 * rejection fine-tuning count as RL steps.
 */
export function idleSteps(lines: readonly Metrics[]): number {
  const steps = lines.filter(isOfRl);
  const last = steps.findLastIndex((line) => !isIdle(line));
  return steps.length - 1 - last;
}

/** Checks whether there was nothing to learn from in any RL step, although the policy did not solve all tasks. */
export function neverLearned(lines: readonly Metrics[]): boolean {
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
