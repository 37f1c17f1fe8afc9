/** The figures of a run, computed from its metrics. */

import { controlSteps, rlSpent } from "./control_budget.ts";
import type {
  AnyMetrics,
  ControlBudget,
  ControlEvalMetrics,
  EvalMetrics,
  Metrics,
  SlimeEvalMetrics,
} from "./metrics.ts";

/** pass^1 on the test split, sampled and greedy; `null` if not measured yet. */
export interface Passes {
  readonly sampled: number | null;
  readonly greedy: number | null;
}

/** The figures of a control (../control.ts). */
export interface ControlSummary extends Passes {
  /** The number of supervised steps that cost as much as RL. */
  readonly steps: number;
  /** The duration of the supervised steps in seconds; `null` if the control was not trained. */
  readonly seconds: number | null;
}

/** The figures of a run. */
export interface Summary {
  /** The run's last step, counted across cold start, rejection fine-tuning and RL. */
  readonly steps: number;
  readonly coldStart: Passes;
  readonly final: Passes;
  /**
   * The duration of the steps of rejection fine-tuning and RL in seconds: rollouts and updates, excluding evaluations
   * and saves.
   */
  readonly rlSeconds: number;
  /** The figures of the controls, keyed by budget; `null` if no control was trained. */
  readonly control: Readonly<Record<ControlBudget, ControlSummary>> | null;
  /** pass^1 of the last evaluation on the dev split; `null` if there is none. */
  readonly dev: number | null;
  /** The number of episodes sampled for training or evaluation. */
  readonly episodes: number;
  /** The number of these episodes that failed because of infrastructure. */
  readonly failures: number;
}

/**
 * Computes the figures of a run.
 * @param lines All lines of the run.
 * @param coldStartSteps The number of steps in the cold start. `coldStart` has the results on the test split at this
 * step, and `final` the last results after it.
 */
export function summarize(
  lines: readonly Metrics[],
  coldStartSteps: number,
): Summary {
  const steps = Math.max(0, ...lines.map(({ step }) => step));
  const tests = evaluations(lines, "test");
  const sampled = lines.filter((line) =>
    line.phase !== "cold_start" && line.phase !== "control"
  );
  return {
    steps,
    coldStart: passes(tests.filter(({ step }) => step === coldStartSteps)),
    final: passes(tests.filter(({ step }) => step > coldStartSteps)),
    rlSeconds: rlSpent(lines, "seconds"),
    control: lines.some(({ phase }) => phase === "control")
      ? { seconds: control(lines, "seconds"), tokens: control(lines, "tokens") }
      : null,
    dev: evaluations(lines, "dev").at(-1)?.pass1 ?? null,
    episodes: sampled.reduce((sum, line) => sum + line.episodes, 0),
    failures: sampled.flatMap(({ failures }) => Object.values(failures))
      .reduce((sum, count) => sum + count, 0),
  };
}

/** Returns the evaluations of a split, in order. */
export function evaluations(
  lines: readonly AnyMetrics[],
  split: EvalMetrics["split"],
): (EvalMetrics | SlimeEvalMetrics)[] {
  return lines.filter((line) => line.phase === "eval")
    .filter((line) => line.split === split);
}

/** Returns the evaluations of a control, in order. */
export function controlEvaluations(
  lines: readonly AnyMetrics[],
  budget: ControlBudget,
): ControlEvalMetrics[] {
  return lines.filter((line) => line.phase === "control_eval")
    .filter((line) => line.budget === budget);
}

function control(
  lines: readonly Metrics[],
  budget: ControlBudget,
): ControlSummary {
  const trained = lines.filter((line) => line.phase === "control")
    .filter((line) => line.budget === budget);
  const seconds = trained.reduce(
    (sum, { timing }) => sum + (timing.seconds["update"] ?? 0),
    0,
  );
  return {
    ...passes(controlEvaluations(lines, budget)),
    steps: controlSteps(lines, budget),
    seconds: trained.length === 0 ? null : seconds,
  };
}

function passes(
  lines: readonly (EvalMetrics | SlimeEvalMetrics | ControlEvalMetrics)[],
): Passes {
  const last = (decoding: EvalMetrics["decoding"]) =>
    lines.findLast((line) => line.decoding === decoding)?.pass1 ?? null;
  return { sampled: last("sampled"), greedy: last("greedy") };
}
