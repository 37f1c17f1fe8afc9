/** The table of runs, sortable by any column and filterable by words. */

import { h, scrollTable } from "./dom.js";
import { count, moment, number, percent } from "./format.js";
import { tableHref } from "./shell.js";
import { inline } from "./text.js";

/** @typedef {import("../protocol.ts").RunSummary} TableRun */

/** The maximum number of runs that can be compared side by side. */
export const MAX_CHOSEN = 6;

/** The default order: the most recent run first. */
export const FIRST_SORT = "-startedAt";

/**
 * The columns: the run's key, the heading, and whether it is a number.
 * @type {readonly (readonly [keyof TableRun, string, "num"?])[]}
 */
const RUN_COLUMNS = [
  ["id", "Run"],
  ["kind", "Kind"],
  ["outcome", "State"],
  ["world", "World"],
  ["agent", "Agent"],
  ["model", "Model"],
  ["seed", "Seed", "num"],
  ["steps", "Steps", "num"],
  ["episodes", "Episodes", "num"],
  ["reward", "Reward", "num"],
  ["pass1", "pass^1", "num"],
  ["startedAt", "Started"],
];

/**
 * Returns the runs that contain every word of the query in one of their text columns.
 * @param {readonly TableRun[]} runs
 * @param {string} query
 */
export function matchingRuns(runs, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return runs.filter((run) => {
    const { id, kind, trainer, outcome, world, agent, model } = run;
    const text = [id, kind, trainer, outcome, world, agent, model]
      .join(" ").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

/**
 * Sorts runs by a column. A `-` before its key means descending order. Runs without a value come last.
 * @param {readonly TableRun[]} runs
 * @param {string} sort
 */
export function sortedRuns(runs, sort) {
  const key = /** @type {keyof TableRun} */ (sort.replace(/^-/, ""));
  const sign = sort.startsWith("-") ? -1 : 1;
  return [...runs].sort((a, b) => {
    const [x, y] = [a[key] ?? null, b[key] ?? null];
    if (x === null || y === null) {
      return Number(x === null) - Number(y === null);
    }
    const order = typeof x === "number" && typeof y === "number"
      ? x - y
      : String(x).localeCompare(String(y), "en", { numeric: true });
    return sign * order || a.id.localeCompare(b.id);
  });
}

/**
 * @param {object} options
 * @param {readonly TableRun[]} options.runs The runs, in display order.
 * @param {readonly string[]} options.ids The ids of the chosen runs.
 * @param {string} options.sort
 * @param {(sort: string) => void} options.onSort
 * @param {(id: string, isChosen: boolean) => void} options.onChoose
 * @returns {HTMLElement}
 */
export function runsTable({ runs, ids, sort, onSort, onChoose }) {
  const region = scrollTable("table.runs", "Runs", {
    heads: [
      h("th", { scope: "col" }, h("span.sr", "Side by side")),
      ...RUN_COLUMNS.map(([key, label, kind]) => {
        const isSorted = sort.replace(/^-/, "") === key;
        const isDown = sort.startsWith("-");
        const next = isSorted && !isDown ? `-${key}` : key;
        return h(
          "th",
          {
            scope: "col",
            class: kind,
            "aria-sort": isSorted
              ? (isDown ? "descending" : "ascending")
              : null,
          },
          h(
            "button",
            {
              type: "button",
              class: "sort",
              title: `Sort by ${label.toLowerCase()}`,
              onclick: () => onSort(next),
            },
            label,
            h(
              "span.arrow",
              { "aria-hidden": "true" },
              isSorted ? (isDown ? "▼" : "▲") : "",
            ),
          ),
        );
      }),
    ],
    rows: runs.map((run) => runRow(run, { ids, onChoose })),
  });
  region.firstElementChild?.prepend(h("caption.sr", "Runs"));
  return region;
}

/**
 * Checks whether a run has curves or scores to compare with other runs.
 * @param {TableRun} run
 */
function isComparable({ kind, steps, episodes }) {
  return steps !== null || (kind !== "train" && episodes !== null);
}

/**
 * @param {TableRun} run
 * @param {{ ids: readonly string[], onChoose: (id: string, isChosen: boolean) => void }} options
 */
function runRow(run, { ids, onChoose }) {
  const at = ids.indexOf(run.id);
  const box = h("input", {
    type: "checkbox",
    "data-run": run.id,
    "aria-label": `Curves of ${run.id}`,
    checked: at >= 0,
    disabled: !isComparable(run) || (at < 0 && ids.length >= MAX_CHOSEN),
    onchange: () => onChoose(run.id, box.checked),
  });
  const name = h(
    "th",
    { scope: "row" },
    h("a", { href: tableHref(run.id) }, inline(run.id, 80)),
  );
  const pick = h("td", {
    class: at >= 0 ? `pick series-${at % MAX_CHOSEN}` : "pick",
  }, box);
  const isUnknown = run.startedAt === null && run.episodes === null;
  if (run.error !== null && isUnknown) {
    return h(
      "tr.broken",
      pick,
      name,
      h(
        "td",
        { colspan: String(RUN_COLUMNS.length - 1) },
        inline(run.error, 300),
      ),
    );
  }
  const state = run.outcome ?? "–";
  const text = (
    /** @type {string} */ label,
    /** @type {string | null} */ value,
  ) => h("td.text", { "data-label": label }, inline(value ?? "–", 40));
  const figure = (
    /** @type {string} */ label,
    /** @type {string} */ value,
    /** @type {string | null} */ title = null,
  ) => h("td.num", { "data-label": label, title }, value);
  return h(
    "tr",
    pick,
    name,
    text(
      "Kind",
      run.trainer === null ? run.kind : `${run.kind}, ${run.trainer}`,
    ),
    h(
      "td.text",
      { "data-label": "State" },
      h("span", { class: `state ${state}` }, state),
      run.error === null ? null : h(
        "span.warn",
        { title: run.error },
        run.kind === "results" ? " ⚠ records skipped" : " ⚠ metrics incomplete",
      ),
    ),
    text("World", run.world ?? run.data),
    text("Agent", run.agent),
    text("Model", run.model),
    figure("Seed", run.seed === null ? "–" : String(run.seed)),
    figure("Steps", count(run.steps)),
    figure("Episodes", count(run.episodes)),
    figure("Reward", number(run.reward)),
    figure("pass^1", percent(run.pass1), run.pass1Of),
    text("Started", moment(run.startedAt)),
  );
}
