/** Builds the journal that trackers read, from the lines of a training run's `metrics.jsonl`. */

import { type AnyMetrics, metricsSource } from "../runs/metrics.ts";
import type { Journal } from "./outbox.ts";

/**
 * The keys of a line that are not measurements: the line's version and its position. A point has its position in a
 * separate field.
 */
const POSITION_KEYS = new Set(["schemaVersion", "step", "controlStep"]);

/**
 * Returns the points of a run, one per line of metrics. Lines have no timestamp, so the times of earlier sessions are
 * reconstructed from the durations of the steps.
 * @param run The run, whose metrics may still grow.
 */
export function metricsJournal(
  run: {
    readonly metrics: readonly AnyMetrics[];
    readonly info: { readonly startedAt: string };
  },
  now: () => number = Date.now,
): Journal {
  const times: number[] = [];
  let timeMs = Date.parse(run.info.startedAt);
  for (const { timing } of run.metrics) {
    timeMs += (timing.seconds["total"] ?? 0) * 1000;
    times.push(timeMs);
  }
  return {
    get length() {
      while (times.length < run.metrics.length) times.push(now());
      return times.length;
    },
    at(index) {
      const line = run.metrics[index]!;
      return { ...pointOf(line), timeMs: times[index] ?? now() };
    },
  };
}

/**
 * Returns the position of a line on the horizontal axis, and its numbers, keyed by path: `rl/reward`,
 * `eval/test/greedy/passK/1`. The steps of a control follow the run's last step.
 */
export function pointOf(
  line: AnyMetrics,
): { readonly step: number; readonly values: ReadonlyMap<string, number> } {
  const values = new Map<string, number>();
  const source = line.phase === "control"
    ? `control/${line.budget}`
    : metricsSource(line);
  for (const [key, value] of Object.entries(line)) {
    if (!POSITION_KEYS.has(key)) collect(values, `${source}/${key}`, value);
  }
  const own = line.phase === "control" ? line.controlStep : 0;
  return { step: line.step + own, values };
}

function collect(
  values: Map<string, number>,
  name: string,
  value: unknown,
): void {
  if (typeof value === "number" && Number.isFinite(value)) {
    values.set(name, value);
  } else if (Array.isArray(value)) {
    value.forEach((one, i) => collect(values, `${name}/${i + 1}`, one));
  } else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      collect(values, `${name}/${key}`, inner);
    }
  }
}
