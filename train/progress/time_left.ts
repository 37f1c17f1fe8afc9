/** How long a run still takes, by what its steps took so far. */

import type { Config } from "../config/config.ts";
import { mean } from "../runs/episode_stats.ts";
import type { Metrics } from "../runs/metrics.ts";

/** Recent steps: an average over all of them would lag behind a policy whose answers get shorter. */
const RECENT = 8;

/**
 * @param lines All lines of the run so far.
 * @returns Seconds, or `undefined` while some kind of work that is to come has not been seen.
 */
export function secondsLeft(
  lines: readonly Metrics[],
  config: Config,
): number | undefined {
  const step = Math.max(0, ...lines.map((line) => line.step));
  const { coldStart, rl } = config;
  const coldLeft = Math.max(0, coldStart.steps - step);
  const rlLeft = Math.min(rl.steps, coldStart.steps + rl.steps - step);
  const work: [left: number, kind: (line: Metrics) => boolean][] = [
    [coldLeft, (line) => line.phase === "cold_start"],
    [rlLeft, (line) => line.phase === "rl"],
    [devLeft(config, rlLeft), isEval("dev", "sampled")],
    [1, isEval("test", "sampled")],
    [1, isEval("test", "greedy")],
  ];
  let total = 0;
  for (const [left, kind] of work) {
    if (left === 0) continue;
    const pace = secondsEach(lines.filter(kind));
    if (pace === undefined) return undefined;
    total += left * pace;
  }
  return total;
}

/** Seconds until the end of the cold start; `undefined` before its first step. */
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

function devLeft(config: Config, rlLeft: number): number {
  const { every } = config.eval;
  const last = rlLeft > 0 ? 1 : 0;
  return last + (every > 0 ? Math.floor(Math.max(0, rlLeft - 1) / every) : 0);
}

function isEval(split: "dev" | "test", decoding: "sampled" | "greedy") {
  return (line: Metrics) =>
    line.phase === "eval" && line.split === split && line.decoding === decoding;
}
