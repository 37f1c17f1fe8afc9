/** Estimates a run's remaining time from the duration of its recent steps. */

import type { Config } from "../config/config.ts";
import { devSteps, phaseEnds } from "../phases.ts";
import { mean } from "../runs/episode_stats.ts";
import { CONTROL_BUDGETS, controlSteps } from "../runs/control_budget.ts";
import type { ControlBudget, Metrics } from "../runs/metrics.ts";

/**
 * The number of recent steps to average. An average across all steps would lag behind a policy whose answers get
 * shorter.
 */
const RECENT = 8;

/**
 * Estimates the remaining seconds of a run.
 * @param lines All metrics of the run so far.
 * @returns The estimate; `undefined` until every kind of remaining work has been measured.
 */
export function secondsLeft(
  lines: readonly Metrics[],
  config: Config,
): number | undefined {
  const step = Math.max(0, ...lines.map((line) => line.step));
  const ends = phaseEnds(config);
  const coldLeft = Math.max(0, ends.coldStart - step);
  const rftLeft = Math.min(config.rft.steps, Math.max(0, ends.rft - step));
  const rlLeft = Math.min(config.rl.steps, ends.rl - step);
  const isTested = lines.some(({ phase }) => phase === "control");
  const testsLeft = isTested ? 0 : 1;
  const work: [left: number, kind: (line: Metrics) => boolean][] = [
    [coldLeft, (line) => line.phase === "cold_start"],
    [rftLeft, (line) => line.phase === "rft"],
    [rlLeft, (line) => line.phase === "rl"],
    [
      devSteps(config).filter((one) => one > step).length,
      isEval("dev", "sampled"),
    ],
    [testsLeft, isEval("test", "sampled")],
    [testsLeft, isEval("test", "greedy")],
  ];
  let total = 0;
  for (const [left, kind] of work) {
    if (left === 0) continue;
    const pace = secondsEach(lines.filter(kind));
    if (pace === undefined) return undefined;
    total += left * pace;
  }
  return CONTROL_BUDGETS.filter((budget) => config.control[budget]).reduce(
    (sum, budget) => sum + controlSecondsLeft(lines, { config, budget }),
    total,
  );
}

/** Estimates the remaining seconds of a control and its evaluations from the steps so far. */
function controlSecondsLeft(
  lines: readonly Metrics[],
  { config, budget }: { config: Config; budget: ControlBudget },
): number {
  const own = lines.filter((line) =>
    (line.phase === "control" || line.phase === "control_eval") &&
    line.budget === budget
  );
  const { rft, rl } = config;
  const taken = lines.filter(({ phase }) => phase === "rft" || phase === "rl");
  const steps = controlSteps(lines, budget) * (rft.steps + rl.steps) /
    taken.length;
  const done = own.filter(({ phase }) => phase === "control").length;
  const pace = secondsEach(
    lines.filter(({ phase }) => phase === "cold_start" || phase === "control"),
  ) ?? 0;
  const tests = (["sampled", "greedy"] as const).map((decoding) => {
    const isDone = own.some((line) =>
      line.phase === "control_eval" && line.decoding === decoding
    );
    return isDone
      ? 0
      : secondsEach(lines.filter(isEval("test", decoding))) ?? 0;
  });
  return tests.reduce((sum, seconds) => sum + seconds, (steps - done) * pace);
}

/** Estimates the seconds until the end of the cold start; `undefined` until its first step is recorded. */
export function coldStartSecondsLeft(
  lines: readonly Metrics[],
  config: Config,
): number | undefined {
  const steps = lines.filter((line) => line.phase === "cold_start");
  const pace = secondsEach(steps);
  return pace === undefined
    ? undefined
    : pace * (config.coldStart.steps - steps.length);
}

function secondsEach(lines: readonly Metrics[]): number | undefined {
  const recent = lines.slice(-RECENT).map((line) =>
    line.timing.seconds["total"] ?? 0
  );
  return recent.length === 0 ? undefined : mean(recent);
}

function isEval(split: "dev" | "test", decoding: "sampled" | "greedy") {
  return (line: Metrics) =>
    line.phase === "eval" && line.split === split && line.decoding === decoding;
}
