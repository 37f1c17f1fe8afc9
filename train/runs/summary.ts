/** The figures of a run, read off its metrics. */

import type {
  AnyMetrics,
  EvalMetrics,
  Metrics,
  SlimeEvalMetrics,
} from "./metrics.ts";

/** pass^1 on the test split by both ways to decode; `null` where it was not measured yet. */
export interface Passes {
  readonly sampled: number | null;
  readonly greedy: number | null;
}

/** The figures of a run. */
export interface Summary {
  /** Updates of the policy, cold start and RL together. */
  readonly steps: number;
  readonly coldStart: Passes;
  readonly final: Passes;
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
  const sampled = lines.filter((line) => line.phase !== "cold_start");
  return {
    steps,
    coldStart: passes(tests.filter(({ step }) => step === coldStartSteps)),
    final: passes(tests.filter(({ step }) => step > coldStartSteps)),
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

function passes(lines: readonly (EvalMetrics | SlimeEvalMetrics)[]): Passes {
  const last = (decoding: EvalMetrics["decoding"]) =>
    lines.findLast((line) => line.decoding === decoding)?.pass1 ?? null;
  return { sampled: last("sampled"), greedy: last("greedy") };
}
