/**
 * A virtual table: only the visible rows are in the document, with spacers above and below. Screen readers get the real
 * number of rows and the index of each row.
 */

import { h } from "./dom.js";

/** @typedef {import("../protocol.ts").EpisodeRow} VirtualRow */
/** @typedef {{ matched: number, rows: readonly VirtualRow[] }} Stretch */

/**
 * @typedef {object} VirtualTable
 * @property {HTMLElement} element
 * @property {() => Promise<void>} reload Refetches the visible rows; the current ones stay until the new ones arrive.
 * @property {(by: number) => void} step Changes the current row, on which keyboard shortcuts act.
 * @property {() => VirtualRow | undefined} current Returns the current row.
 * @property {() => { top: number, at: number }} position
 */

const PAGE = 100;
/** The number of extra rows above and below the visible ones, so that scrolling does not show empty space. */
const SPARE = 12;
/** The delay before rows are refetched after a failure, in milliseconds. */
const RETRY_MS = 2000;

/**
 * @param {object} options
 * @param {HTMLTableSectionElement} options.head
 * @param {string} options.label
 * @param {number} options.columns
 * @param {(row: VirtualRow) => HTMLTableCellElement[]} options.cells The first cell contains the row's link.
 * @param {(offset: number, limit: number) => Promise<Stretch>} options.load
 * @param {() => void} options.onTake Called after fetched rows are shown.
 * @param {{ top: number, at: number }} options.start The position to restore.
 * @returns {VirtualTable}
 */
export function virtualTable(
  { head, label, columns, cells, load, onTake, start },
) {
  const narrow = matchMedia("(max-width: 640px)");
  const above = spacer(columns);
  const below = spacer(columns);
  const body = h("tbody", { role: "rowgroup" }, above, below);
  const table = h(
    "table",
    { role: "table", class: "episodes", "aria-label": label },
    head,
    body,
  );
  const scroller = h("div.grid-scroll", {
    role: "region",
    "aria-label": label,
    tabindex: "0",
  }, table);
  /** @type {Map<number, readonly VirtualRow[]>} */
  let pages = new Map();
  /** @type {Map<number, Promise<void>>} */
  let loading = new Map();
  /** @type {Map<number, HTMLTableRowElement>} */
  const shown = new Map();
  let matched = 0;
  let generation = 0;
  let cursor = start.at;
  let isPlaced = false;

  const height = () => narrow.matches ? 62 : 34;
  const rowAt = (/** @type {number} */ i) =>
    pages.get(Math.floor(i / PAGE))?.[i % PAGE];

  function range() {
    const top = Math.max(0, scroller.scrollTop - 1);
    const first = Math.max(0, Math.floor(top / height()) - SPARE);
    const inSight = Math.ceil((scroller.clientHeight || 600) / height());
    return { first, last: Math.min(matched, first + inSight + 2 * SPARE) };
  }

  function draw() {
    const { first, last } = range();
    for (const [i, row] of shown) {
      if (i >= first && i < last) continue;
      row.remove();
      shown.delete(i);
    }
    /** @type {Element} */
    let before = above;
    for (let i = first; i < last; i++) {
      let row = shown.get(i);
      if (row === undefined) {
        row = rowOf(i);
        shown.set(i, row);
      }
      if (before.nextElementSibling !== row) before.after(row);
      before = row;
    }
    above.style.height = `${first * height()}px`;
    below.style.height = `${Math.max(0, matched - last) * height()}px`;
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      if (!pages.has(page)) void fetchPage(page);
    }
  }

  /** @param {number} i */
  function rowOf(i) {
    const data = rowAt(i);
    const row = h("tr", {
      role: "row",
      // The header is row 1.
      "aria-rowindex": i + 2,
      class: i === cursor ? "cursor" : null,
    });
    if (data === undefined) {
      row.className = "waiting";
      row.append(h("td", { role: "cell", colspan: columns }, "…"));
    } else row.append(...cells(data));
    row.addEventListener("click", (event) => {
      moveTo(i);
      const target = /** @type {HTMLElement} */ (event.target);
      if (target.closest("a") === null) row.querySelector("a")?.click();
    });
    row.addEventListener("focusin", () => moveTo(i));
    return row;
  }

  /** @param {number} i */
  function moveTo(i) {
    shown.get(cursor)?.classList.remove("cursor");
    cursor = i;
    shown.get(cursor)?.classList.add("cursor");
  }

  /** @param {number} page */
  function fetchPage(page) {
    const known = loading.get(page);
    if (known !== undefined) return known;
    const mine = generation;
    const work = load(page * PAGE, PAGE).then((stretch) => {
      if (mine !== generation) return;
      pages.set(page, stretch.rows);
      take(stretch.matched);
    }, () => {
      // The poller reports the error; this only refetches the rows.
      setTimeout(() => {
        if (scroller.isConnected) draw();
      }, RETRY_MS);
    }).finally(() => {
      if (mine === generation) loading.delete(page);
    });
    loading.set(page, work);
    return work;
  }

  /** @param {number} count */
  function take(count) {
    matched = count;
    onTake();
    table.setAttribute("aria-rowcount", String(matched + 1));
    cursor = Math.max(0, Math.min(cursor, matched - 1));
    const focused = [...shown].find(([, row]) =>
      row.contains(document.activeElement)
    )?.[0];
    for (const row of shown.values()) row.remove();
    shown.clear();
    draw();
    if (focused !== undefined) {
      shown.get(focused)?.querySelector("a")?.focus({ preventScroll: true });
    }
    if (isPlaced || !scroller.isConnected) return;
    isPlaced = true;
    scroller.scrollTop = start.top;
    draw();
    if (start.at > 0) {
      shown.get(cursor)?.querySelector("a")?.focus({ preventScroll: true });
    }
  }

  async function reload() {
    const mine = ++generation;
    const { first } = isPlaced
      ? range()
      : { first: Math.floor(start.top / height()) };
    const page = Math.floor(first / PAGE);
    const stretch = await load(page * PAGE, PAGE);
    if (mine !== generation) return;
    pages = new Map([[page, stretch.rows]]);
    loading = new Map();
    take(stretch.matched);
    // The list became shorter than the scroll position.
    if (stretch.rows.length === 0 && stretch.matched > 0) draw();
    performance.mark("taulab:rows", { detail: location.hash });
  }

  /** @param {number} by */
  function step(by) {
    const hasFocus = table.contains(document.activeElement) &&
      document.activeElement !== scroller;
    const next = Math.max(
      0,
      Math.min(matched - 1, hasFocus ? cursor + by : cursor),
    );
    moveTo(next);
    const top = next * height();
    const room = scroller.clientHeight - head.offsetHeight;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    if (top + height() > scroller.scrollTop + room) {
      scroller.scrollTop = top + height() - room;
    }
    draw();
    shown.get(next)?.querySelector("a")?.focus({ preventScroll: true });
  }

  let isQueued = false;
  scroller.addEventListener("scroll", () => {
    if (isQueued) return;
    isQueued = true;
    requestAnimationFrame(() => {
      isQueued = false;
      draw();
    });
  }, { passive: true });
  narrow.addEventListener("change", draw);
  new ResizeObserver(draw).observe(scroller);
  return {
    element: scroller,
    reload,
    step,
    current: () => rowAt(cursor),
    position: () => ({ top: scroller.scrollTop, at: cursor }),
  };
}

/** @param {number} columns */
function spacer(columns) {
  return h(
    "tr.spacer",
    { "aria-hidden": "true" },
    h("td", { colspan: columns }),
  );
}
