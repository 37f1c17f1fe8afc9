/** The figures of a run, read off its metrics. */

import { controlSteps, rlSpent } from "./control_budget.ts";
import type {
  AnyMetrics,
  ControlBudget,
  ControlEvalMetrics,
  EvalMetrics,
  Metrics,
  SlimeEvalMetrics,
} from "./metrics.ts";

/** pass^1 on the test split by both ways to decode; `null` where it was not measured yet. */
export interface Passes {
  readonly sampled: number | null;
  readonly greedy: number | null;
}

/** The figures of a control; see ../control.ts. */
export interface ControlSummary extends Passes {
  /** Supervised steps that take what RL's took. */
  readonly steps: number;
  /** Seconds that they took; `null` where it was not trained. */
  readonly seconds: number | null;
}

/** The figures of a run. */
export interface Summary {
  /** The run's last step, counted over cold start, rejection fine-tuning and RL. */
  readonly steps: number;
  readonly coldStart: Passes;
  readonly final: Passes;
  /** Seconds of RL's steps: rollouts and updates, without evaluations and saves. */
  readonly rlSeconds: number;
  /** By what it is given; `null` where none was trained. */
  readonly control: Readonly<Record<ControlBudget, ControlSummary>> | null;
  /** The last evaluation on the dev split. */
  readonly dev: number | null;
  /** Sampled episodes that trained or evaluated, and those whose infrastructure failed. */
  readonly episodes: number;
  readonly failures: number;
}

/**
 * @param lines All lines of a run.
 * @param coldStartSteps Steps of its cold start: the evaluations at that step are the ones to compare with.
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

/** The evaluations of a split in order. */
export function evaluations(
  lines: readonly AnyMetrics[],
  split: EvalMetrics["split"],
): (EvalMetrics | SlimeEvalMetrics)[] {
  return lines.filter((line) => line.phase === "eval")
    .filter((line) => line.split === split);
}

/** The evaluations of a control in order. */
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
