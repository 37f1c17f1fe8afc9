/** The sortable, filterable, searchable table of a run's episodes. */

import { advisoryList } from "./advisories.js";
import { fill, h } from "./dom.js";
import { filterBar } from "./filter_bar.js";
import { count, duration, rewardMark, signed, why, words } from "./format.js";
import { runParts } from "./run_parts.js";
import { episodeHref, filterOnly, tableHref, withParam } from "./shell.js";
import { inline } from "./text.js";
import { virtualTable } from "./virtual_rows.js";

/** @typedef {import("./api.js").Api} TableApi */
/** @typedef {import("./shell.js").View} TableShellView */
/** @typedef {import("./shell.js").Route} TableRoute */
/** @typedef {import("../protocol.ts").EpisodeRow} TableRow */
/** @typedef {import("../protocol.ts").EpisodePage} TablePage */

/**
 * The columns: the field, the heading, the cell's content, and whether it is a number.
 * @type {readonly (readonly [string, string, (row: TableRow) => Node | string, "num"?])[]}
 */
const COLUMNS = [
  ["id", "Episode", ({ id }) => String(id), "num"],
  ["step", "Step", ({ step }) => count(step), "num"],
  ["reward", "Reward", ({ reward }) => rewardMark(reward)],
  ["task", "Task", ({ task }) => inline(task, 60)],
  ["intent", "Intent", ({ intent }) => inline(words(intent), 60)],
  ["reason", "Why", (row) => inline(why(row), 60)],
  ["advantage", "Advantage", ({ advantage }) => signed(advantage), "num"],
  ["turns", "Turns", ({ turns }) => count(turns), "num"],
  ["tokens", "Tokens", ({ tokens }) => orDash(tokens, count), "num"],
  ["seconds", "Time", ({ seconds }) => orDash(seconds, duration), "num"],
  ["source", "Source", ({ source }) => inline(source, 30)],
];

/**
 * @param {number} value
 * @param {(value: number) => string} format
 */
function orDash(value, format) {
  return value === 0 ? "–" : format(value);
}

/**
 * The last scroll positions of tables, by URL.
 * @type {Map<string, { top: number, at: number }>}
 */
const places = new Map();

/**
 * @param {TableApi} api
 * @param {TableRoute} route
 * @returns {TableShellView}
 */
export function tableView(api, route) {
  const controller = new AbortController();
  const { signal } = controller;
  const { run } = route;
  let params = filterOnly(route.params);
  let tag = "";
  let facetsOf = "";
  let isFirst = true;
  /** @type {TablePage | undefined} */
  let seen;

  const status = h("p.count", { role: "status" });
  const head = h("thead", { role: "rowgroup" });
  const bar = filterBar({
    onChange: (next, { isTyping }) => {
      const href = tableHref(run, next);
      // Otherwise each typed letter would add a history entry.
      if (isTyping) history.replaceState(null, "", href);
      else history.pushState(null, "", href);
      apply(next);
    },
  });
  const table = virtualTable({
    head,
    label: `Episodes of ${run}`,
    columns: COLUMNS.length,
    cells: cellsOf,
    load: async (offset, limit) => {
      const answer = await api.episodes(run, params, { offset, limit }, signal);
      tag = answer.tag;
      seen = answer.value;
      return answer.value;
    },
    onTake: () => {
      if (seen !== undefined) drawStatus(seen);
    },
    start: places.get(tableHref(run, params)) ?? { top: 0, at: 0 },
  });
  const parts = runParts({
    episodes: [status, bar.element, table.element],
    load: () => api.run(run, signal),
    loadTimeline: (step) => api.timeline(run, step, signal),
    hrefOf: (part, step) =>
      tableHref(
        run,
        withParam(
          withParam(params, "show", part),
          "at",
          step === undefined ? "" : String(step),
        ),
      ),
    episodeHrefOf: (id) => episodeHref(run, id),
  });
  const advisories = h("div.advisories-room");
  const element = h(
    "div.page.table-page",
    h("div.title-row", h("h1", { tabindex: "-1" }, inline(run, 80)), status),
    advisories,
    parts.nav,
    parts.room,
    bar.element,
    table.element,
  );
  drawHead();
  bar.show(params);
  parts.show(route.params);

  /** @param {URLSearchParams} next */
  function apply(next) {
    params = filterOnly(next);
    bar.show(params);
    drawHead();
    void refresh(true).catch(complain);
  }

  /** @param {unknown} error */
  function complain(error) {
    if (signal.aborted) return;
    element.dispatchEvent(
      new CustomEvent("problem", { detail: error, bubbles: true }),
    );
  }

  /** Shows the advisories. If there are many episodes, computing them takes longer than loading the table. */
  async function advise() {
    const { value, tag: now } = await api.advisories(run, signal);
    if (now === advisedOf) return;
    advisedOf = now;
    fill(advisories, advisoryList(value.advisories, { run }));
  }
  let advisedOf = "";

  async function refresh(isChanged = false) {
    void advise().catch(complain);
    await parts.refresh();
    if (isChanged || isFirst) {
      await table.reload();
      isFirst = false;
    } else {
      const { tag: now } = await api.episodes(run, params, {
        offset: 0,
        limit: 1,
      }, signal);
      if (now === lastLook) return;
      lastLook = now;
      await table.reload();
    }
    await offer();
  }
  let lastLook = "";

  async function offer() {
    const key = `${params} ${tag}`;
    if (key === facetsOf) return;
    facetsOf = key;
    bar.offer((await api.facets(run, params, signal)).value);
  }

  /** @param {TablePage} page */
  function drawStatus({ matched, total, text }) {
    const found = matched === total
      ? `${count(total)} episodes`
      : `${count(matched)} of ${count(total)} episodes`;
    const isSearching = params.has("text") && text.indexed < text.total;
    const progress = isSearching
      ? `, ${
        Math.floor(100 * text.indexed / text.total)
      }% of their texts searched so far`
      : "";
    if (status.textContent !== found + progress) {
      status.textContent = found + progress;
    }
  }

  function drawHead() {
    const sort = params.get("sort") ?? "id";
    const by = sort.replace(/^-/, "");
    const direction = sort.startsWith("-") ? "descending" : "ascending";
    fill(
      head,
      h(
        "tr",
        { role: "row", "aria-rowindex": 1 },
        COLUMNS.map(([field, label, , kind]) => {
          const isSorted = field === by;
          const order = isSorted && direction === "ascending" ? "-" : "";
          const next = withParam(params, "sort", order + field);
          return h(
            "th",
            {
              role: "columnheader",
              scope: "col",
              class: `${kind ?? ""} column-${field}`,
              "aria-sort": isSorted ? direction : null,
            },
            h(
              "a",
              {
                href: tableHref(run, next),
                class: "sort",
                title: `Sort by ${label.toLowerCase()}`,
              },
              label,
              h(
                "span.arrow",
                { "aria-hidden": "true" },
                isSorted ? (direction === "ascending" ? "▲" : "▼") : "",
              ),
            ),
          );
        }),
      ),
    );
  }

  /** @param {TableRow} row */
  function cellsOf(row) {
    return COLUMNS.map(([field, label, draw, kind]) => {
      const content = draw(row);
      return h(
        "td",
        {
          role: field === "id" ? "rowheader" : "cell",
          class: `${kind ?? ""} column-${field}`,
          "data-label": label,
        },
        field === "id"
          ? h("a", {
            href: episodeHref(run, row.id, params),
            "aria-label": `Episode ${row.id}`,
          }, content)
          : content,
      );
    });
  }

  return {
    element,
    title: run,
    crumbs: [{ text: "Runs", href: "#/" }, { text: run, href: null }],
    refresh: () => refresh(),
    keys: {
      j: () => table.step(1),
      k: () => table.step(-1),
      ArrowDown: () => table.step(1),
      ArrowUp: () => table.step(-1),
      "/": () => bar.focusSearch(),
      Enter: () => {
        const row = table.current();
        if (row !== undefined) location.hash = episodeHref(run, row.id, params);
      },
      Escape: () => {
        if (document.activeElement instanceof HTMLInputElement) table.step(0);
        else location.hash = "#/";
      },
    },
    accept: (next) => {
      if (next.name !== "table" || next.run !== run) return false;
      const isOther = filterOnly(next.params).toString() !== params.toString();
      if (isOther) apply(next.params);
      parts.show(next.params);
      if (!isOther) void refresh().catch(() => {});
      return true;
    },
    close: () => {
      places.set(tableHref(run, params), table.position());
      controller.abort();
    },
  };
}
