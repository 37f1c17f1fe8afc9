/** Draws the figure of a run: the reward of each RL step, and pass^1 on dev and test. */

import type { PlotOptions } from "@observablehq/plot";
import type { AnyMetrics } from "./metrics.ts";
import { CONTROL_BUDGETS, controlName } from "./control_budget.ts";
import { controlEvaluations, evaluations } from "./summary.ts";

/** One point of a curve. */
export interface Point {
  readonly step: number;
  /** A mean reward or pass^1, from 0 to 1. */
  readonly value: number;
  /** The name of the curve: `train reward`, `dev pass^1`, `test pass^1, sampled`, `control pass^1, sampled`. */
  readonly series: string;
}

/** Returns the points of a run's curves, one curve after the other, in the order of the legend. */
export function curvePoints(lines: readonly AnyMetrics[]): Point[] {
  const train = lines.flatMap((line) =>
    line.phase === "rft" || line.phase === "rl"
      ? [{ step: line.step, value: line.reward ?? NaN, series: "train reward" }]
      : []
  );
  const dev = evaluations(lines, "dev").map(({ step, pass1 }) => ({
    step,
    value: pass1,
    series: "dev pass^1",
  }));
  const test = evaluations(lines, "test").map(({ step, pass1, decoding }) => ({
    step,
    value: pass1,
    series: `test pass^1, ${decoding}`,
  }));
  return [...train, ...dev, ...test, ...controlPoints(lines)]
    .filter(({ value }) => Number.isFinite(value));
}

/**
 * Returns a line for each control and decoding mode. The line begins at the end of the cold start, where the control
 * starts. It ends at RL's last step, because the whole control costs as much as all steps of RL.
 */
function controlPoints(lines: readonly AnyMetrics[]): Point[] {
  return CONTROL_BUDGETS.flatMap((budget) =>
    controlEvaluations(lines, budget).flatMap(({ step, pass1, decoding }) => {
      const series = `${controlName(budget)} pass^1, ${decoding}`;
      const start = evaluations(lines, "test")
        .filter((line) => line.decoding === decoding).slice(0, 1);
      return [...start, { step, pass1 }]
        .map(({ step, pass1 }) => ({ step, value: pass1, series }));
    })
  );
}

/**
 * Draws the curves as a standalone SVG. The drawing library is loaded on the first call, so starting a run does not
 * load it.
 * @param title The subject of the figure: `generated retail, seed 1`.
 */
export async function curveSvg(
  points: readonly Point[],
  title: string,
): Promise<string> {
  const [Plot, { DOMParser }] = await Promise.all([
    import("@observablehq/plot"),
    import("linkedom"),
  ]);
  const document = new DOMParser().parseFromString(
    "<html></html>",
    "text/html",
  );
  const series = [...new Set(points.map((point) => point.series))];
  const figure = Plot.plot({
    // The DOM types of a browser declare more than the figure needs.
    document: document as unknown as NonNullable<PlotOptions["document"]>,
    width: 760,
    height: 420,
    marginRight: 20,
    style: { background: "white", fontFamily: "system-ui, sans-serif" },
    x: { label: "step" },
    y: { label: title, domain: [0, 1], grid: true },
    color: { domain: series, scheme: "observable10" },
    marks: [
      Plot.ruleY([0]),
      Plot.line(points, {
        x: "step",
        y: "value",
        z: "series",
        stroke: "series",
      }),
      Plot.dot(points.filter((point) => point.series !== "train reward"), {
        x: "step",
        y: "value",
        fill: "series",
      }),
      series.map((name, i) =>
        Plot.text([name], {
          frameAnchor: "bottom-right",
          dy: -14 * (series.length - i),
          fill: () => name,
        })
      ),
    ],
  });
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `${figure.outerHTML}\n`;
}

/** Draws the curves of a run into its `curve.svg`, if there are any points. */
export async function drawCurve(run: {
  readonly name: string;
  readonly metrics: readonly AnyMetrics[];
  writeText(name: string, text: string): Promise<void>;
}): Promise<void> {
  const points = curvePoints(run.metrics);
  if (points.length === 0) return;
  const title = `reward, pass^1 (${run.name})`;
  await run.writeText("curve.svg", await curveSvg(points, title));
}

/**
 * Formats a curve for the terminal, with one column per bucket of steps. A column has full height if the value is 1.
 * @returns Lines joined by newlines, the highest values first; empty if the series has no points.
 */
export function curveText(
  points: readonly Point[],
  options: {
    readonly series: string;
    readonly width: number;
    readonly height: number;
  },
): string {
  const { series, width, height } = options;
  const values = points.filter((point) => point.series === series)
    .map((point) => point.value);
  if (values.length === 0) return "";
  const columns = buckets(values, Math.min(width, values.length));
  const blocks = " ▁▂▃▄▅▆▇█";
  const rows = Array.from({ length: height }, (_, r) => {
    const base = height - 1 - r;
    const cells = columns.map((value) => {
      const eighths = Math.round((value * height - base) * 8);
      return blocks[Math.min(8, Math.max(0, eighths))];
    }).join("");
    const label = r === 0 ? "1.0" : r === height - 1 ? "0.0" : "   ";
    return `${label} ┤${cells}`;
  });
  return [...rows, `    └${"─".repeat(columns.length)} ${series}`].join("\n");
}

/** Splits the values into `count` buckets of about equal length and returns their means. */
function buckets(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor(i * values.length / count);
    const part = values.slice(
      from,
      Math.floor((i + 1) * values.length / count),
    );
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}
