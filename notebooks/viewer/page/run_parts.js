/** What a run's page shows beside its episodes: its curves, or the scores of an evaluation, and its config. */

import { comparison } from "./comparison.js";
import { curveCharts } from "./curves.js";
import { fill, h } from "./dom.js";
import { notice } from "./shell.js";
import { textBlock } from "./text.js";

/** @typedef {import("../protocol.ts").RunView} PartedRun */

/** What the address calls the parts, and their names; the first needs no word. */
const PARTS = /** @type {const} */ ([
  ["", "Episodes"],
  ["curves", "Curves"],
  ["config", "Config"],
]);

/**
 * The parts of a run's page, one shown at a time.
 * @param {object} options
 * @param {HTMLElement[]} options.episodes What is shown as the first part.
 * @param {() => Promise<{ value: PartedRun, tag: string }>} options.load
 * @param {(part: string) => string} options.hrefOf
 */
export function runParts({ episodes, load, hrefOf }) {
  const nav = h("nav.parts", { "aria-label": "Parts of the run" });
  const room = h("div.part");
  let part = "";
  let drawn = "";
  let isAllShown = false;

  /** @param {string} next */
  function show(next) {
    part = PARTS.some(([name]) => name === next) ? next : "";
    drawn = "";
    for (const element of episodes) element.hidden = part !== "";
    room.hidden = part === "";
    fill(room);
    fill(
      nav,
      PARTS.map(([name, label]) =>
        h("a", {
          href: hrefOf(name),
          "aria-current": name === part ? "page" : null,
        }, label)
      ),
    );
  }

  async function refresh() {
    if (part === "") return;
    const { value, tag } = await load();
    const state = `${part} ${tag}`;
    if (state === drawn) return;
    drawn = state;
    fill(room, part === "config" ? configOf(value) : curvesOf(value));
  }

  /** @param {PartedRun} view */
  function curvesOf(view) {
    const charts = curveCharts([view], {
      isAllShown,
      onToggle: (isOpen) => isAllShown = isOpen,
    });
    const scores = comparison([view]);
    return charts === null && scores === null
      ? h("p.muted", "It has no line of metrics yet.")
      : h("div.curves", charts, scores);
  }

  return { nav, room, show, refresh };
}

/** @param {PartedRun} view */
function configOf({ run, config }) {
  return config === null
    ? notice(new Error(`There is no config.yaml in ${run.path}`))
    : h("div.config", textBlock(config, { className: "code" }));
}
