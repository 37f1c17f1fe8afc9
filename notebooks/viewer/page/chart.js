/**
 * Line charts as SVG, with a cursor that follows the pointer or the arrow keys and shows the values at its position.
 */

import { fill, h, svg } from "./dom.js";
import { number } from "./format.js";
import { inline } from "./text.js";

/** @typedef {{ name: string, color: number, points: readonly (readonly [number, number])[] }} Series */

const WIDTH = 340;
const HEIGHT = 168;
const EDGE = { top: 10, right: 12, bottom: 22, left: 56 };

/**
 * Draws a chart of series over steps.
 * @param {{ title: string, series: readonly Series[] }} options
 * @returns {HTMLElement}
 */
export function lineChart({ title, series }) {
  const all = series.flatMap(({ points }) => points);
  const xs = domain(all.map(([x]) => x), false);
  const ys = domain(all.map(([, y]) => y), true);
  const x = scale(xs, EDGE.left, WIDTH - EDGE.right);
  const y = scale(ys, HEIGHT - EDGE.bottom, EDGE.top);
  const cursor = svg("g.cursor");
  const picture = svg(
    "svg",
    {
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: "img",
      tabindex: "0",
      "aria-label": describe(title, series),
    },
    axis(ys, y),
    steps(xs, x),
    series.map((one) => curve(one, x, y)),
    cursor,
  );
  const readout = h("p.readout", { "aria-live": "polite" });
  const readAt = (/** @type {number | null} */ step) => {
    cursor.replaceChildren();
    if (step === null) return fill(readout, last(series));
    const found = series.flatMap((one) => {
      const point = nearest(one.points, step);
      return point === undefined ? [] : [{ one, point }];
    });
    const at = x(found[0]?.point[0] ?? step);
    cursor.append(
      svg("line", { x1: at, x2: at, y1: EDGE.top, y2: HEIGHT - EDGE.bottom }),
      ...found.map(({ one, point }) =>
        svg("circle", {
          class: `series-${one.color}`,
          cx: x(point[0]),
          cy: y(point[1]),
          r: 3.5,
        })
      ),
    );
    fill(
      readout,
      h("span.muted", `step ${found[0]?.point[0] ?? step}`),
      found.map(({ one, point }) => value(one, point[1])),
    );
  };
  followPointer(picture, { xs, readAt });
  readAt(null);
  return h("figure.chart", h("figcaption", title), picture, readout);
}

/**
 * @param {SVGElement} picture
 * @param {{ xs: [number, number], readAt: (step: number | null) => void }} options
 */
function followPointer(picture, { xs: [from, to], readAt }) {
  /** @type {number | null} */
  let step = null;
  picture.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * WIDTH;
    const share = (at - EDGE.left) / (WIDTH - EDGE.left - EDGE.right);
    step = from + Math.min(1, Math.max(0, share)) * (to - from);
    readAt(step);
  });
  picture.addEventListener("pointerleave", () => readAt(step = null));
  picture.addEventListener("blur", () => readAt(step = null));
  picture.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    event.stopPropagation();
    const stride = Math.max(1, Math.round((to - from) / 40));
    const turn = event.key === "ArrowLeft" ? -stride : stride;
    step = Math.min(to, Math.max(from, (step ?? to) + turn));
    readAt(step);
  });
}

/**
 * @param {Series} series
 * @param {(value: number) => number} x
 * @param {(value: number) => number} y
 */
function curve({ points, color }, x, y) {
  const path = points.map(([step, value], i) =>
    `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`
  ).join("");
  const isSparse = points.length <= 24;
  return svg(
    "g",
    { class: `series-${color}` },
    svg("path", { d: path }),
    isSparse
      ? points.map(([step, value]) =>
        svg("circle", {
          cx: x(step),
          cy: y(value),
          r: points.length === 1 ? 3 : 2,
        })
      )
      : null,
  );
}

/**
 * @param {[number, number]} domainOfY
 * @param {(value: number) => number} y
 */
function axis([low, high], y) {
  const marks = [low, (low + high) / 2, high];
  return svg(
    "g.axis",
    marks.flatMap((mark) => [
      svg("line", {
        x1: EDGE.left,
        x2: WIDTH - EDGE.right,
        y1: y(mark),
        y2: y(mark),
      }),
      svg(
        "text",
        { x: EDGE.left - 6, y: y(mark) + 3.5, "text-anchor": "end" },
        tick(mark),
      ),
    ]),
  );
}

/**
 * @param {[number, number]} domainOfX
 * @param {(value: number) => number} x
 */
function steps([from, to], x) {
  const ends =
    /** @type {[number, string][]} */ (from === to
      ? [[from, "middle"]]
      : [[from, "start"], [to, "end"]]);
  return svg(
    "g.axis",
    ends.map(([step, anchor]) =>
      svg(
        "text",
        { x: x(step), y: HEIGHT - 6, "text-anchor": anchor },
        `step ${step}`,
      )
    ),
  );
}

/**
 * @param {readonly number[]} values
 * @param {boolean} isPadded
 * @returns {[number, number]}
 */
function domain(values, isPadded) {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(low)) return [0, 1];
  if (!isPadded) return [low, high];
  // Shares are easiest to read on their full range.
  if (low >= 0 && high <= 1 && high > 0.25) return [0, 1];
  if (low >= 0 && low < high * 0.6) low = 0;
  return low === high
    ? [low - (Math.abs(low) || 1) / 2, high + (Math.abs(high) || 1) / 2]
    : [low, high];
}

/**
 * @param {[number, number]} domainOfValue
 * @param {number} from
 * @param {number} to
 * @returns {(value: number) => number}
 */
function scale([low, high], from, to) {
  if (low === high) return () => (from + to) / 2;
  return (value) => from + (value - low) / (high - low) * (to - from);
}

/** @param {number} value */
function tick(value) {
  const size = Math.abs(value);
  if (value !== 0 && (size < 0.001 || size >= 100_000)) {
    return value.toExponential(0);
  }
  return String(Number(value.toPrecision(3))).replace("-", "−");
}

/**
 * @param {readonly (readonly [number, number])[]} points
 * @param {number} step
 */
function nearest(points, step) {
  let best = points[0];
  for (const point of points) {
    if (
      best === undefined || Math.abs(point[0] - step) < Math.abs(best[0] - step)
    ) best = point;
  }
  return best;
}

/** @param {readonly Series[]} series */
function last(series) {
  return series.flatMap((one) => {
    const point = one.points.at(-1);
    return point === undefined ? [] : [value(one, point[1])];
  });
}

/**
 * @param {Series} one
 * @param {number} at
 */
function value({ name, color }, at) {
  return h(
    "span",
    { class: `value series-${color}` },
    h("i.swatch", { "aria-hidden": "true" }),
    inline(name, 24),
    h("b", number(at)),
  );
}

/**
 * @param {string} title
 * @param {readonly Series[]} series
 */
function describe(title, series) {
  const parts = series.map(({ name, points }) => {
    const [first, final] = [points[0], points.at(-1)];
    return first === undefined || final === undefined
      ? `${name}: no values yet`
      : `${name}: ${number(first[1])} at step ${first[0]}, ${
        number(final[1])
      } at step ${final[0]}`;
  });
  return `${title}. ${parts.join("; ")}. Use the arrow keys to read the values`;
}
