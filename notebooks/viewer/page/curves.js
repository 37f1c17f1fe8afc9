/** The curves of runs: the most informative ones first, the others on demand. */

import { lineChart } from "./chart.js";
import { h } from "./dom.js";

/** @typedef {import("../protocol.ts").RunView} CurvedRun */

/** The curves to show initially. */
const FIRST_CURVES = [
  "rl.reward",
  "eval/dev/sampled.pass1",
  "eval/test/sampled.pass1",
  "eval/test/greedy.pass1",
  "rl.entropy",
  "rl.klReference",
  "rl.klOld",
  "rl.zeroVarianceShare",
  "rl.groupVariance",
];

/** @type {Readonly<Record<string, string>>} */
const CURVE_NAMES = {
  "rl.reward": "Reward",
  "rl.entropy": "Entropy",
  "rl.klReference": "KL to the reference",
  "rl.klOld": "KL to the sampling policy",
  "rl.zeroVarianceShare": "Groups without variance",
  "rl.groupVariance": "Variance within groups",
  "rl.gradNorm": "Gradient norm",
  "rl.clipShare": "Clipped share",
  "cold_start.loss": "Cold start loss",
  "control/seconds.loss": "Control loss",
};

/**
 * Draws the charts of runs side by side. Returns `null` if no run has a curve.
 * @param {readonly CurvedRun[]} views
 * @param {{ isAllShown: boolean, onToggle: (isOpen: boolean) => void }} options `isAllShown` draws all curves, not only
 * the first ones.
 * @returns {HTMLElement | null}
 */
export function curveCharts(views, { isAllShown, onToggle }) {
  const keys = [
    ...new Set(views.flatMap((view) => view.curves.map(({ key }) => key))),
  ];
  if (keys.length === 0) return null;
  const known = FIRST_CURVES.filter((key) => keys.includes(key));
  const first = known.length > 0 ? known : keys.slice(0, 6);
  const rest = keys.filter((key) => !first.includes(key)).sort();
  const draw = (/** @type {string} */ key) =>
    lineChart({
      title: CURVE_NAMES[key] ?? curveName(key),
      series: views.flatMap(({ run, curves }, color) => {
        const points = curves.find((curve) => curve.key === key)?.points;
        return points === undefined ? [] : [{ name: run.id, color, points }];
      }),
    });
  const room = h("div.charts", isAllShown ? rest.map(draw) : []);
  const more = rest.length === 0 ? null : h(
    "details.more-curves",
    {
      open: isAllShown,
      ontoggle: (/** @type {Event} */ event) => {
        const { open } =
          /** @type {HTMLDetailsElement} */ (event.currentTarget);
        onToggle(open);
        if (open && room.childElementCount === 0) {
          room.append(...rest.map(draw));
        }
      },
    },
    h("summary", `More curves (${rest.length})`),
    room,
  );
  return h("div", h("div.charts", first.map(draw)), more);
}

/** @param {string} key */
function curveName(key) {
  const at = key.indexOf(".");
  const [source, name] = [key.slice(0, at), key.slice(at + 1)];
  const spaced = name.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  const text = spaced.replace(/^pass([1])$/, "pass^1").replace(
    /^pass k\.(\d+)$/,
    "pass^$1",
  ).replaceAll(".", ", ");
  return source === "rl" || source === "run"
    ? text
    : `${text} (${source.replaceAll("/", ", ").replaceAll("_", " ")})`;
}
