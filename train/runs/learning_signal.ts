/**
 * Checks whether a run has anything to learn from: in RL, groups to train on; in rejection fine-tuning, solved tasks.
 */

import type { Metrics } from "./metrics.ts";

/** The number of consecutive steps that had nothing to learn from, and their phase. */
export interface IdleSteps {
  readonly steps: number;
  /** The phase, as in `the last 5 steps of RL`. */
  readonly phase: "RL" | "rejection fine-tuning";
}

/**
 * Counts the consecutive steps that had nothing to learn from, at the end of RL or, if RL has not begun, at the end of
 * rejection fine-tuning.
 */
export function idleSteps(lines: readonly Metrics[]): IdleSteps {
  const ofRl = lines.filter(isOfRl);
  const phase = ofRl.at(-1)?.phase ?? "rl";
  const last = ofRl.findLastIndex((line) =>
    line.phase !== phase || !isIdle(line)
  );
  return {
    steps: ofRl.length - 1 - last,
    phase: phase === "rl" ? "RL" : "rejection fine-tuning",
  };
}

/**
 * Checks whether a run has steps of rejection fine-tuning or RL, none of which had anything to learn from, and at least
 * one of which had a mean reward below 1.
 */
export function neverLearned(lines: readonly Metrics[]): boolean {
  const steps = lines.filter(isOfRl);
  return steps.length > 0 && steps.every(isIdle) &&
    steps.some(({ reward }) => reward < 1);
}

type RlLine = Extract<Metrics, { phase: "rft" | "rl" }>;

function isOfRl(line: Metrics): line is RlLine {
  return line.phase === "rft" || line.phase === "rl";
}

function isIdle(line: RlLine): boolean {
  return line.phase === "rft" ? line.solved === 0 : line.trainedGroups === 0;
}
