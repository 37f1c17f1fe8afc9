/** Shows the timeline of a training step: its phases, and below them each episode with what it waited for. */

import { h, scrollTable, svg } from "./dom.js";
import { count, duration, percent, rewardMark } from "./format.js";
import { inline } from "./text.js";

/** @typedef {import("../protocol.ts").StepTimeline} ShownTimeline */
/** @typedef {import("../protocol.ts").TimelineEpisode} ShownEpisode */

const TIMELINE_WIDTH = 960;
const LANE = 9;
const PHASES_HEIGHT = 34;
const AXIS_HEIGHT = 18;

/** The maximum number of lanes to draw. */
const MAX_LANES = 160;

/** The number of episodes in the table of slowest episodes. */
const SLOWEST = 10;

const WAITS =
  /** @type {const} */ (["model", "user", "environment", "retries"]);

const WAIT_NAMES = {
  model: "the model",
  user: "the user",
  environment: "tools and grading",
  retries: "earlier attempts",
};

/**
 * @param {ShownTimeline} timeline
 * @param {{ hrefOf: (step: number) => string, episodeHrefOf: (id: number) => string }} options
 * @returns {HTMLElement}
 */
export function timelineView(timeline, { hrefOf, episodeHrefOf }) {
  const { episodes, waited } = timeline;
  return h(
    "div.timeline",
    stepNavigation(timeline, hrefOf),
    timelinePicture(timeline, episodeHrefOf),
    waited === null
      ? h(
        "p.muted",
        "This run did not record what its episodes waited for, so each is a single bar.",
      )
      : waitLegend(waited),
    timeline.leftOut === 0 ? null : h(
      "p.muted",
      `The shortest episodes (${count(timeline.leftOut)}) are not drawn.`,
    ),
    slowestTable(episodes, episodeHrefOf),
  );
}

/**
 * @param {ShownTimeline} timeline
 * @param {(step: number) => string} hrefOf
 */
function stepNavigation({ step, steps, source }, hrefOf) {
  const at = steps.indexOf(step);
  const link = (
    /** @type {number | undefined} */ to,
    /** @type {string} */ text,
  ) =>
    to === undefined
      ? h("span.muted", text)
      : h("a", { href: hrefOf(to) }, text);
  return h(
    "nav",
    { "aria-label": "Steps" },
    link(steps[at - 1], "← previous step"),
    h("strong", `step ${count(step)} of ${source}`),
    link(steps[at + 1], "next step →"),
    h(
      "label",
      "go to ",
      h("input", {
        type: "number",
        min: steps[0],
        max: steps.at(-1),
        value: step,
        onchange: (/** @type {Event} */ event) => {
          const { value } = /** @type {HTMLInputElement} */ (event.target);
          if (value !== "") location.hash = hrefOf(Number(value));
        },
      }),
    ),
  );
}

/**
 * Arranges episodes in lanes, one per concurrent episode.
 * @param {readonly ShownEpisode[]} episodes In order of start time.
 * @returns {ShownEpisode[][]}
 */
export function lanesOf(episodes) {
  /** @type {{ endMs: number, episodes: ShownEpisode[] }[]} */
  const lanes = [];
  for (const episode of episodes) {
    const free = lanes.find(({ endMs }) => endMs <= episode.startMs);
    const lane = free ?? { endMs: 0, episodes: [] };
    if (free === undefined) lanes.push(lane);
    lane.episodes.push(episode);
    lane.endMs = episode.startMs + episode.ms;
  }
  return lanes.map(({ episodes }) => episodes);
}

/**
 * @param {ShownTimeline} timeline
 * @param {(id: number) => string} episodeHrefOf
 */
function timelinePicture({ step, phases, episodes }, episodeHrefOf) {
  const all = lanesOf(episodes);
  const lanes = all.slice(0, MAX_LANES);
  const endMs = Math.max(
    1,
    ...phases.map(({ startMs, ms }) => startMs + ms),
    ...episodes.map(({ startMs, ms }) => startMs + ms),
  );
  const x = (/** @type {number} */ ms) => ms / endMs * TIMELINE_WIDTH;
  const height = PHASES_HEIGHT + lanes.length * LANE + AXIS_HEIGHT;
  const words = phases.map(({ kind, ms }) => `${kind} ${duration(ms / 1000)}`);
  return svg(
    "svg",
    {
      viewBox: `0 0 ${TIMELINE_WIDTH} ${height}`,
      role: "img",
      "aria-label": `Step ${step}: ${words.join(", ")}; ${
        count(episodes.length)
      } episodes, ${count(all.length)} concurrent`,
    },
    phases.map(({ kind, startMs, ms }) =>
      svg(
        "g",
        svg("title", `${kind}: ${duration(ms / 1000)}`),
        svg("rect.phase", {
          x: x(startMs),
          y: 4,
          width: Math.max(1, x(ms)),
          height: PHASES_HEIGHT - 12,
        }),
        x(ms) < 60 ? null : svg(
          "text",
          { x: x(startMs) + 6, y: 19 },
          `${kind} ${duration(ms / 1000)}`,
        ),
      )
    ),
    lanes.map((lane, i) =>
      svg(
        "g",
        lane.map((episode) =>
          episodeBar(episode, {
            x,
            y: PHASES_HEIGHT + i * LANE,
            href: episodeHrefOf(episode.id),
          })
        ),
      )
    ),
    [0, 0.25, 0.5, 0.75].map((share) =>
      svg(
        "text",
        { x: share * TIMELINE_WIDTH + 2, y: height - 5 },
        duration(share * endMs / 1000),
      )
    ),
  );
}

/**
 * @param {ShownEpisode} episode
 * @param {{ x: (ms: number) => number, y: number, href: string }} options
 */
function episodeBar({ id, task, startMs, ms, spans }, { x, y, href }) {
  const bar = (
    /** @type {string} */ kind,
    /** @type {number} */ from,
    /** @type {number} */ length,
  ) =>
    svg("rect", {
      class: kind,
      x: x(from).toFixed(2),
      y,
      width: Math.max(0.5, x(length)).toFixed(2),
      height: LANE - 2,
    });
  return svg(
    "a",
    { href, tabindex: "-1" },
    svg("title", `Episode ${id}, ${task}: ${duration(ms / 1000)}`),
    bar("bar-episode", startMs, ms),
    spans.map((span) => bar(`wait-${span.kind}`, span.startMs, span.ms)),
  );
}

/** @param {NonNullable<ShownTimeline["waited"]>} waited */
function waitLegend(waited) {
  const all = WAITS.reduce((sum, kind) => sum + waited[kind], 0);
  return h(
    "ul.legend",
    { "aria-label": "What episodes waited for" },
    WAITS.filter((kind) => waited[kind] > 0).map((kind) =>
      h(
        "li",
        svg(
          "svg",
          { viewBox: "0 0 12 12", "aria-hidden": "true" },
          svg("rect", { class: `wait-${kind}`, width: 12, height: 12 }),
        ),
        `${WAIT_NAMES[kind]}: ${percent(waited[kind] / all)}, ${
          duration(waited[kind] / 1000)
        } of all episodes`,
      )
    ),
  );
}

/**
 * @param {readonly ShownEpisode[]} episodes
 * @param {(id: number) => string} episodeHrefOf
 */
function slowestTable(episodes, episodeHrefOf) {
  const slowest = episodes.toSorted((a, b) => b.ms - a.ms).slice(0, SLOWEST);
  const heads = ["Took", ...WAITS.map((kind) => WAIT_NAMES[kind])];
  return scrollTable("table.slowest", "The slowest episodes", {
    heads: [
      "Episode",
      "Task",
      "Reward",
      ...heads.map((head) => h("th", { scope: "col", class: "num" }, head)),
    ],
    rows: slowest.map((episode) =>
      h(
        "tr",
        h(
          "th",
          { scope: "row" },
          h("a", { href: episodeHrefOf(episode.id) }, String(episode.id)),
        ),
        h("td", inline(episode.task, 60)),
        h("td", rewardMark(episode.reward)),
        h("td.num", duration(episode.ms / 1000)),
        WAITS.map((kind) => h("td.num", waitText(episode, kind))),
      )
    ),
  });
}

/**
 * @param {ShownEpisode} episode
 * @param {typeof WAITS[number]} kind
 */
function waitText({ spans }, kind) {
  const own = spans.filter((span) => span.kind === kind);
  return own.length === 0
    ? "–"
    : duration(own.reduce((sum, { ms }) => sum + ms, 0) / 1000);
}
