/** Computes from a run's metrics how many supervised steps cost as much as RL did. */

import { TrainerError } from "../../env/errors.ts";
import type { ControlBudget, Metrics, Timing } from "./metrics.ts";

/** The budgets of controls, in the order in which the controls are trained. */
export const CONTROL_BUDGETS = ["seconds", "tokens"] as const;

/** Returns the name of the control with a budget: `control` for seconds, `control (tokens)` for tokens. */
export function controlName(budget: ControlBudget): string {
  return budget === "seconds" ? "control" : `control (${budget})`;
}

/**
 * Returns the cost of RL's steps so far, including rejection fine-tuning. In seconds, this is the time of rollouts and
 * updates, excluding evaluations and saves. In tokens, it is the number of tokens sampled plus the number of tokens
 * trained on, including context.
 */
export function rlSpent(
  lines: readonly Metrics[],
  budget: ControlBudget,
): number {
  return lines.filter(({ phase }) => phase === "rft" || phase === "rl")
    .reduce((sum, { timing }) => sum + SPENT[budget](timing), 0);
}

/**
 * Returns the number of supervised steps that cost as much as RL: the total of RL's steps divided by the median of the
 * cold start's steps, rounded, and at least 1. Because of the median, a single slow step in the cold start does not
 * shorten the control.
 * @param lines The lines of the cold start and of RL.
 * @throws {TrainerError} If the lines do not record the cost of the cold start's steps.
 */
export function controlSteps(
  lines: readonly Metrics[],
  budget: ControlBudget,
): number {
  const each = median(
    lines.filter(({ phase }) => phase === "cold_start")
      .map(({ timing }) => SPENT[budget](timing)),
  );
  const steps = Math.max(1, Math.round(rlSpent(lines, budget) / each));
  if (Number.isFinite(steps)) return steps;
  throw new TrainerError(
    `Cannot compute the length of the control run: metrics.jsonl does not record how many ${budget} the cold-start steps took`,
    { hint: "start a new run" },
  );
}

const SPENT: Readonly<Record<ControlBudget, (timing: Timing) => number>> = {
  seconds: ({ seconds }) =>
    (seconds["rollout"] ?? 0) + (seconds["update"] ?? 0),
  tokens: ({ seconds, sampledTokensPerS = 0, trainedTokensPerS = 0 }) =>
    Math.round(sampledTokensPerS * (seconds["rollout"] ?? 0)) +
    Math.round(trainedTokensPerS * (seconds["update"] ?? 0)),
};

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
