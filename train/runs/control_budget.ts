/** How many supervised steps take what RL took, read off a run's metrics. */

import { TrainerError } from "../../env/errors.ts";
import type { ControlBudget, Metrics, Timing } from "./metrics.ts";

/** The budgets of controls, in the order in which they are trained. */
export const CONTROL_BUDGETS = ["seconds", "tokens"] as const;

/** The control of a budget: `control`, `control (tokens)`. */
export function controlName(budget: ControlBudget): string {
  return budget === "seconds" ? "control" : `control (${budget})`;
}

/**
 * What RL's steps took so far, rejection fine-tuning included: seconds of rollout and update, without evaluations and
 * saves; tokens that it sampled and tokens that it trained on, context included.
 */
export function rlSpent(
  lines: readonly Metrics[],
  budget: ControlBudget,
): number {
  return lines.filter(({ phase }) => phase === "rft" || phase === "rl")
    .reduce((sum, { timing }) => sum + SPENT[budget](timing), 0);
}

/**
 * The supervised steps that take as much: what RL's steps took by the median of a step of the cold start, so that a
 * hiccup there does not make the control short.
 * @param lines Those of the cold start and of RL.
 * @throws {TrainerError} If they do not say what a step took.
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
    `Cannot tell how long the control is: by metrics.jsonl a step of the cold start took ${each} ${budget}`,
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
