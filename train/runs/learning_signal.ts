/**
 * Checks whether RL has anything to learn from: groups whose rewards differ, or conversations that earned a
 * reward.
 */

import type { Metrics } from "./metrics.ts";

/** The number of consecutive steps that had nothing to learn from, and their phase. */
export interface IdleSteps {
  readonly steps: number;
  /** The phase, as in `the last 5 steps of RL`. */
  readonly phase: "RL" | "rejection fine-tuning";
}

/** Counts the consecutive steps at the end of a run's last phase that had nothing to learn from. */
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
 * Checks whether no step of rejection fine-tuning or RL had anything to learn from, although the policy did not solve
 * all tasks.
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
