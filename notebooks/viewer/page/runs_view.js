/** The list of runs, with the curves and scores of the selected runs side by side. */

import { comparison } from "./comparison.js";
import { curveCharts } from "./curves.js";
import { fill, h } from "./dom.js";
import { count } from "./format.js";
import {
  FIRST_SORT,
  matchingRuns,
  runsTable,
  sortedRuns,
} from "./runs_table.js";
import { compareHref, notice, runsHref } from "./shell.js";

/** @typedef {import("./api.js").Api} RunsApi */
/** @typedef {import("./shell.js").View} RunsShellView */
/** @typedef {import("./shell.js").Route} RunsRoute */
/** @typedef {import("../protocol.ts").RunView} ShownRun */

/**
 * @param {RunsApi} api
 * @param {RunsRoute} route
 * @returns {RunsShellView}
 */
export function runsView(api, route) {
  const controller = new AbortController();
  const { signal } = controller;
  const list = h("div.runs-list");
  const curves = h("section", {
    "aria-labelledby": "curves-title",
    class: "curves",
  });
  const found = h("p.count", { role: "status" });
  const search = h("input", {
    type: "search",
    class: "filter-runs",
    placeholder: "Filter: name, kind, state, world, agent, model",
    "aria-label": "Filter the runs",
    value: route.params.get("q") ?? "",
    oninput: () => {
      query = search.value;
      remember();
    },
  });
  const element = h(
    "div.page",
    h("div.title-row", h("h1", { tabindex: "-1" }, "Runs"), found),
    search,
    list,
    curves,
  );
  /** @type {string[]} */
  let chosen = route.params.getAll("run");
  let isAllShown = route.params.has("all");
  let sort = route.params.get("sort") ?? FIRST_SORT;
  let query = route.params.get("q") ?? "";
  let drawn = "";
  /** The number of times that the user has changed what is shown. Each change starts a separate refresh. */
  let changes = 0;

  async function refresh() {
    const before = changes;
    const { value: { runs }, tag } = await api.runs(signal);
    const ids = chosen.length > 0 ? chosen : runs
      .filter(({ error, steps }) => error === null && steps !== null)
      .slice(0, 4).map(({ id }) => id);
    const views = await Promise.all(ids.map((id) => viewOf(id)));
    if (before !== changes) return;
    const state = JSON.stringify([
      tag,
      ids,
      views.map(({ tag }) => tag),
      sort,
      query,
    ]);
    if (state === drawn) return;
    drawn = state;
    const focus = /** @type {HTMLElement | null} */ (document.activeElement)
      ?.dataset?.["run"];
    const shownRuns = sortedRuns(matchingRuns(runs, query), sort);
    found.textContent = shownRuns.length === runs.length
      ? `${count(runs.length)} runs`
      : `${count(shownRuns.length)} of ${count(runs.length)} runs`;
    fill(
      list,
      runs.length === 0 ? empty() : runsTable({
        runs: shownRuns,
        ids,
        sort,
        onSort: (next) => {
          sort = next;
          remember();
        },
        onChoose: (id, isChosen) => {
          const others = (chosen.length > 0 ? chosen : ids)
            .filter((one) => one !== id);
          chosen = isChosen ? [...others, id] : others;
          remember();
        },
      }),
    );
    if (focus !== undefined) {
      /** @type {HTMLElement | null} */ (list.querySelector(
        `[data-run="${CSS.escape(focus)}"]`,
      ))?.focus();
    }
    const shown = views.flatMap(({ value }) => value === null ? [] : [value]);
    drawCurves(
      shown,
      views.flatMap(({ error }) => error === null ? [] : [error]),
    );
  }

  /**
   * @param {string} id
   * @returns {Promise<{ value: ShownRun | null, tag: string, error: unknown }>}
   */
  async function viewOf(id) {
    try {
      return { ...await api.run(id, signal), error: null };
    } catch (error) {
      if (signal.aborted) throw error;
      return { value: null, tag: String(error), error };
    }
  }

  /** Records the selection in the URL and refreshes the view. */
  function remember() {
    changes++;
    const params = new URLSearchParams(chosen.map((id) => ["run", id]));
    if (sort !== FIRST_SORT) params.set("sort", sort);
    if (query !== "") params.set("q", query);
    if (isAllShown) params.set("all", "1");
    history.replaceState(null, "", runsHref(params));
    void refresh().catch(() => {});
  }

  /**
   * @param {readonly ShownRun[]} views
   * @param {readonly unknown[]} errors
   */
  function drawCurves(views, errors) {
    const drawn = curveCharts(views, {
      isAllShown,
      onToggle: (isOpen) => isAllShown = isOpen,
    });
    fill(
      curves,
      drawn === null ? null : h("h2", { id: "curves-title" }, "Curves"),
      errors.map(notice),
      drawn,
      comparison(views),
      taskByTask(views),
    );
  }

  return {
    element,
    title: "Runs",
    crumbs: [{ text: "Runs", href: null }],
    refresh,
    keys: {
      j: () => step(1),
      k: () => step(-1),
      "/": () => search.focus(),
    },
    close: () => controller.abort(),
  };

  /** @param {number} by */
  function step(by) {
    const links = [...list.querySelectorAll("tbody a")];
    const at = links.indexOf(/** @type {Element} */ (document.activeElement));
    const next = links[Math.min(links.length - 1, Math.max(0, at + by))];
    /** @type {HTMLElement | undefined} */ (next)?.focus();
  }
}

function empty() {
  return h(
    "div.notice",
    { role: "status" },
    h("strong", "There are no runs yet"),
    h(
      "p",
      "Start one with ",
      h("code", "deno task train"),
      "; it appears here automatically.",
    ),
  );
}

/** @param {readonly ShownRun[]} views */
function taskByTask(views) {
  const [before, after, ...others] = views.map(({ run }) => run.id);
  if (before === undefined || after === undefined || others.length > 0) {
    return null;
  }
  return h(
    "p",
    h("a", { href: compareHref(before, after) }, "Compare them task by task"),
  );
}
