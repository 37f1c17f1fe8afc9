/**
 * The parts of a run's page besides the table of episodes: its curves or evaluation scores, its timeline, and its
 * config.
 */

import { comparison } from "./comparison.js";
import { curveCharts } from "./curves.js";
import { fill, h } from "./dom.js";
import { notice } from "./shell.js";
import { textBlock } from "./text.js";
import { timelineView } from "./timeline.js";

/** @typedef {import("../protocol.ts").RunView} PartedRun */
/** @typedef {import("../protocol.ts").StepTimeline} PartedTimeline */

/** The name of each part in the URL, and its label. The first part is the default. */
const PARTS = /** @type {const} */ ([
  ["", "Episodes"],
  ["curves", "Curves"],
  ["timeline", "Timeline"],
  ["config", "Config"],
]);

/**
 * Creates the parts of a run's page, one of which is shown at a time.
 * @param {object} options
 * @param {HTMLElement[]} options.episodes The first part's content.
 * @param {() => Promise<{ value: PartedRun, tag: string }>} options.load
 * @param {(step: number | null) => Promise<{ value: PartedTimeline, tag: string }>} options.loadTimeline
 * @param {(part: string, step?: number) => string} options.hrefOf
 * @param {(id: number) => string} options.episodeHrefOf
 */
export function runParts(
  { episodes, load, loadTimeline, hrefOf, episodeHrefOf },
) {
  const nav = h("nav.parts", { "aria-label": "Parts of the run" });
  const room = h("div.part");
  let part = "";
  /** @type {number | null} The timeline's step; `null` for the last. */
  let step = null;
  let drawn = "";
  let isAllShown = false;

  /** @param {URLSearchParams} params */
  function show(params) {
    const next = params.get("show") ?? "";
    part = PARTS.some(([name]) => name === next) ? next : "";
    step = params.has("at") ? Number(params.get("at")) : null;
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
    if (part === "timeline") return await refreshTimeline();
    const asked = part;
    const { value, tag } = await load();
    if (part !== asked) return;
    const state = `${part} ${tag}`;
    if (state === drawn) return;
    drawn = state;
    fill(room, part === "config" ? configOf(value) : curvesOf(value));
  }

  async function refreshTimeline() {
    const asked = step;
    const { value, tag } = await loadTimeline(asked);
    if (part !== "timeline" || step !== asked || drawn === tag) return;
    drawn = tag;
    fill(
      room,
      timelineView(value, {
        hrefOf: (at) => hrefOf("timeline", at),
        episodeHrefOf,
      }),
    );
  }

  /** @param {PartedRun} view */
  function curvesOf(view) {
    const charts = curveCharts([view], {
      isAllShown,
      onToggle: (isOpen) => isAllShown = isOpen,
    });
    const scores = comparison([view]);
    return charts === null && scores === null
      ? h("p.muted", "The run has no metrics yet.")
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
