/** Draws the notebooks' figures: curves of runs, rewards with intervals, failure reasons, groups and tokens. */

import * as Plot from "@observablehq/plot";
import type { Estimate } from "../../train/evaluation/interval.ts";
import { curvePoints, type Point } from "../../train/runs/run_figure.ts";
import type { AnyMetrics } from "../../train/runs/metrics.ts";
import { COLORS, figure, partsText, stackedBars } from "./figure.ts";
import type { Rich } from "./rich.ts";
import { type GroupRow, type RewardRow, stepRanges } from "./rewards.ts";
import { TOKEN_KINDS, type TokenCounts } from "./tokens.ts";

/** Values for several runs, each paired with the run's name. */
type Named<T> = readonly (readonly [name: string, T])[];

/** Draws the curves of one run: the training reward, and pass^1 on the splits dev and test. */
export function curveFigure(lines: readonly AnyMetrics[]): Rich {
  return pointsFigure(curvePoints(lines), { label: "reward, pass^1" });
}

/**
 * Draws curves of values from 0 to 1. A series with fewer than half as many points as the longest series is also drawn
 * with dots.
 */
export function pointsFigure(
  points: readonly Point[],
  { label, steps }: {
    readonly label: string;
    /** The last step on the horizontal axis, for a run that is still in progress. Default: the last step so far. */
    readonly steps?: number;
  },
): Rich {
  const bySeries = Map.groupBy(points, ({ series }) => series);
  const last = Math.max(steps ?? 0, ...points.map(({ step }) => step));
  const most = Math.max(...[...bySeries.values()].map(({ length }) => length));
  const sparse = points.filter(({ series }) =>
    bySeries.get(series)!.length < most / 2
  );
  const at = { x: "step", y: "value", z: "series" };
  return figure({
    alt: `${label} by step: ${lastValues(points)}`,
    x: { label: "step", ...(steps === undefined ? {} : { domain: [0, last] }) },
    y: { label, domain: [0, 1], grid: true },
    color: { domain: [...bySeries.keys()] },
    marks: [
      Plot.ruleY([0]),
      Plot.line(points, { ...at, stroke: "series", strokeWidth: 2 }),
      Plot.dot(sparse, { ...at, fill: "series", r: 4 }),
    ],
  });
}

/** Draws the loss at each step. */
export function lossFigure(
  points: readonly { readonly step: number; readonly loss: number }[],
  { steps }: {
    /** The final step of the run, at which the horizontal axis ends. */
    readonly steps: number;
  },
): Rich {
  const last = points.at(-1);
  return figure({
    alt: last === undefined
      ? "no step yet"
      : `loss ${last.loss.toFixed(2)} at step ${last.step}`,
    height: 240,
    x: { label: "step", domain: [0, steps] },
    y: { label: "loss (nats per token)", zero: true, grid: true },
    marks: [
      Plot.ruleY([0]),
      Plot.line(points, {
        x: "step",
        y: "loss",
        stroke: COLORS[0],
        strokeWidth: 2,
      }),
    ],
  });
}

/**
 * Draws the same curve for several runs in one figure, with faint lines for the values and strong lines for their
 * running means.
 */
export function curvesFigure(
  runs: Named<readonly AnyMetrics[]>,
  { series = "train reward", window = 5 }: {
    /** The name of the series, as in `curvePoints()`. Default: `train reward`. */
    readonly series?: string;
    /** The number of points in the window of the running mean. Default: 5. */
    readonly window?: number;
  } = {},
): Rich {
  const points = runs.flatMap(([run, lines]) =>
    curvePoints(lines).filter((point) => point.series === series)
      .map(({ step, value }) => ({ step, value, run }))
  );
  const at = { x: "step", y: "value", z: "run", stroke: "run" };
  return figure({
    alt: `${series} by step for ${runs.map(([run]) => run).join(", ")}`,
    x: { label: "step" },
    y: { label: series, domain: [0, 1], grid: true },
    color: { domain: runs.map(([run]) => run) },
    marks: [
      Plot.ruleY([0]),
      Plot.line(points, { ...at, strokeOpacity: 0.3 }),
      Plot.line(
        points,
        Plot.windowY({ k: window, anchor: "end" }, {
          ...at,
          strokeWidth: 2.5,
        }),
      ),
    ],
  });
}

/** Draws pass^k for several runs with 95% intervals. */
export function passFigure(runs: Named<readonly Estimate[]>): Rich {
  const points = runs.flatMap(([run, estimates], shift) =>
    estimates.map((estimate, i) => ({
      ...estimate,
      run,
      // Shifted sideways, so that the intervals do not overlap.
      k: i + 1 + 0.06 * (shift - (runs.length - 1) / 2),
    }))
  );
  const most = Math.max(0, ...runs.map(([, estimates]) => estimates.length));
  return figure({
    alt: runs.map(([run, estimates]) =>
      `${run}: ${
        estimates.map(({ value }, i) => `pass^${i + 1} ${value.toFixed(2)}`)
          .join(", ")
      }`
    ).join("; "),
    height: 280,
    x: {
      label: "k",
      domain: [0.8, most + 0.2],
      ticks: Array.from({ length: most }, (_, i) => i + 1),
      tickFormat: (k: number) => `pass^${k}`,
    },
    y: {
      label: "share of tasks solved k of k times",
      domain: [0, 1],
      grid: true,
    },
    color: { domain: runs.map(([run]) => run) },
    marks: [
      Plot.ruleY([0]),
      Plot.ruleX(points, {
        x: "k",
        y1: "low",
        y2: "high",
        stroke: "run",
        strokeWidth: 2,
      }),
      Plot.line(points, {
        x: "k",
        y: "value",
        stroke: "run",
        strokeDasharray: "3 3",
      }),
      Plot.dot(points, { x: "k", y: "value", fill: "run", r: 4.5 }),
    ],
  });
}

/** Draws mean rewards with 95% intervals, one row per key. */
export function rewardFigure(rows: readonly RewardRow[], label: string): Rich {
  return figure({
    alt: rows.map(({ key, value }) => `${key} ${value.toFixed(2)}`).join(", "),
    height: 60 + 30 * rows.length,
    marginLeft: 130,
    marginRight: 90,
    x: { label: "reward", domain: [0, 1], grid: true },
    y: { label, domain: rows.map(({ key }) => key) },
    marks: [
      Plot.ruleY(rows, {
        y: "key",
        x1: "low",
        x2: "high",
        stroke: "#7f8a97",
        strokeWidth: 2,
      }),
      Plot.dot(rows, { y: "key", x: "value", fill: "#4c78d9", r: 5 }),
      Plot.text(rows, {
        y: "key",
        frameAnchor: "right",
        dx: 80,
        textAnchor: "end",
        text: ({ episodes }: RewardRow) => `${episodes} episodes`,
      }),
    ],
  });
}

/**
 * Draws a stacked bar for each value of `of`, with the share of episodes that have each outcome. An outcome is `solved`
 * or a failure reason. The shares of a bar sum to 1.
 */
export function sharesFigure(
  rows: readonly {
    readonly of: string;
    readonly kind: string;
    readonly share: number;
  }[],
  { label, of }: { readonly label: string; readonly of: string },
): Rich {
  const parts = rows.map(({ share, ...row }) => ({ ...row, value: share }));
  const kinds = [...new Set(rows.map(({ kind }) => kind))];
  return stackedBars(parts, {
    alt: partsText(
      parts.filter(({ value }) => value > 0),
      (share) => `${(100 * share).toFixed(0)}%`,
    ),
    x: { label: `${label} (%)`, percent: true },
    y: { label: of },
    color: { range: kinds.map(colorOf) },
  });
}

/** The maximum number of dots that fit side by side without overlapping. */
const MAX_DOTS = 80;
/** The radius of the largest dot, in pixels. */
const LARGEST_DOT = 18;

/** The colors of the common outcomes of episodes, which are the same in all figures. */
const END_COLORS: Readonly<Record<string, string>> = {
  solved: "#3a9c8c",
  missing_write: "#4c78d9",
  wrong_write: "#e08d10",
  extra_write: "#d1495b",
  missing_output: "#8e6cc4",
  transferred: "#7f8a97",
  out_of_tokens: "#b07d4f",
  out_of_turns: "#c46ba8",
  parse_errors: "#5b8f3a",
  agent_error: "#8a5a44",
};

/**
 * Returns the color for the outcome of an episode. Outcomes without an entry in {@linkcode END_COLORS}, such as
 * infrastructure failures, share one color.
 */
function colorOf(kind: string): string {
  return END_COLORS[kind] ?? "#2f9fc9";
}

/**
 * Draws the groups of a run by step and mean reward. Groups whose rewards are all equal provide no learning signal and
 * are drawn in a separate color. If there are many steps, they are combined into ranges. If there are many groups, the
 * size of a dot shows the number of groups that it represents.
 */
export function groupsFigure(groups: readonly GroupRow[]): Rich {
  const steps = groups.map(({ step }) => step);
  const rangeOf = stepRanges(steps);
  const points = groups.map(({ step, rewards, variance }) => ({
    steps: rangeOf(step),
    solved: rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length,
    teaches: variance > 0 ? "mixed rewards" : "all the same",
  }));
  const useful =
    points.filter(({ teaches }) => teaches === "mixed rewards").length;
  const ranges = [...new Set(steps.toSorted((a, b) => a - b).map(rangeOf))];
  const isFew = points.length <= MAX_DOTS;
  const common = {
    alt: `${useful} of ${points.length} groups have mixed rewards`,
    height: 260,
    y: {
      label: "share of the group solved",
      domain: [0, 1],
      grid: true,
    },
    color: {
      domain: ["mixed rewards", "all the same"],
      range: ["#4c78d9", "#7f8a97"],
    },
  };
  if (isFew) {
    const at = { fx: "steps", y: "solved", fill: "teaches", r: 5, padding: 2 };
    return figure({
      ...common,
      fx: { label: "step", domain: ranges },
      marks: [Plot.dot(points, Plot.dodgeX("middle", at))],
    });
  }
  const at = { x: "steps", y: "solved", fill: "teaches" };
  return figure({
    ...common,
    x: { label: "steps (dot size: number of groups)", domain: ranges },
    r: { range: [0, LARGEST_DOT] },
    // Keeps the largest dots off the axis and its labels.
    insetTop: LARGEST_DOT,
    insetBottom: LARGEST_DOT,
    marks: [Plot.dot(points, Plot.group({ r: "count" }, at))],
  });
}

/** Draws the mean variance of rewards within groups, and the share of groups without variance, at each RL step. */
export function varianceFigure(lines: readonly AnyMetrics[]): Rich {
  const points = lines.flatMap((line) =>
    line.phase === "rl"
      ? [
        {
          step: line.step,
          value: line.groupVariance,
          of: "mean variance of a group",
        },
        {
          step: line.step,
          value: line.zeroVarianceShare,
          of: "share of groups without variance",
        },
      ]
      : []
  );
  return figure({
    alt: "variance within groups by step",
    height: 260,
    x: { label: "step" },
    y: { label: "variance, share", domain: [0, 1], grid: true },
    color: {
      domain: ["mean variance of a group", "share of groups without variance"],
    },
    marks: [
      Plot.ruleY([0]),
      Plot.line(points, {
        x: "step",
        y: "value",
        stroke: "of",
        strokeWidth: 2,
      }),
    ],
  });
}

/** Draws the mean number of tokens of each kind per episode, for each set of episodes. */
export function tokensFigure(all: Named<TokenCounts>): Rich {
  const parts = all.flatMap(([of, counts]) =>
    TOKEN_KINDS.map((kind) => ({ of, kind, value: counts[kind] }))
  );
  return stackedBars(parts, {
    alt: partsText(parts, (tokens) => tokens.toFixed(0)),
    x: { label: "tokens per episode" },
  });
}

/** Describes the last value of each series: `train reward 0.66, dev pass^1 0.70`. */
function lastValues(points: readonly Point[]): string {
  return [...Map.groupBy(points, ({ series }) => series)]
    .map(([series, some]) => `${series} ${some.at(-1)!.value.toFixed(2)}`)
    .join(", ");
}
