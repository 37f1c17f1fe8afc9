/** The frame around every view: URLs, the navigation bar, and notices. */

import { byId, fill, h, keyButton } from "./dom.js";
import { FIELDS } from "./fields.js";
import { inline } from "./text.js";

/**
 * The state of the page. All of it is in the URL, so that links can be shared and the back button works.
 * @typedef {{ name: "runs" | "table" | "episode" | "compare", run: string, id: number, params: URLSearchParams }} Route
 */

/**
 * @typedef {object} View
 * @property {HTMLElement} element
 * @property {string} title
 * @property {{ text: string, href: string | null }[]} crumbs The path from the first page to this one.
 * @property {() => Promise<void>} refresh Draws what has changed. Thrown errors are shown on the page.
 * @property {Readonly<Record<string, (event: KeyboardEvent) => void>>} keys
 * @property {(route: Route) => boolean} [accept] Switches to another route in place; returns `false` if it cannot.
 * @property {() => void} close
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export function readRoute(hash) {
  const [path = "", query = ""] = split(hash.replace(/^#/, ""), "?");
  const params = new URLSearchParams(query);
  const parts = path.split("/").filter(Boolean).map(decode);
  const [kind, run = "", what, id] = parts;
  if (kind === "compare") return { name: "compare", run: "", id: 0, params };
  if (kind !== "run") return { name: "runs", run: "", id: 0, params };
  if (what === "episode") {
    return { name: "episode", run, id: Number(id), params };
  }
  return { name: "table", run, id: 0, params };
}

/**
 * @param {string} run
 * @param {URLSearchParams} [params]
 */
export function tableHref(run, params = new URLSearchParams()) {
  return withQuery(`#/run/${encodeURIComponent(run)}`, params);
}

/**
 * @param {string} run
 * @param {number} id
 * @param {URLSearchParams} [params]
 */
export function episodeHref(run, id, params = new URLSearchParams()) {
  return withQuery(`#/run/${encodeURIComponent(run)}/episode/${id}`, params);
}

/**
 * Returns the link to the comparison of two runs.
 * @param {string} before
 * @param {string} after
 */
export function compareHref(before, after) {
  return withQuery(
    "#/compare",
    new URLSearchParams([["run", before], ["run", after]]),
  );
}

/** @param {URLSearchParams} params */
export function runsHref(params) {
  return withQuery("#/", params);
}

/**
 * Returns a copy of a query with a key set to a value, or without the key if the value is empty.
 * @param {URLSearchParams} params
 * @param {string} key
 * @param {string} value
 */
export function withParam(params, key, value) {
  const next = new URLSearchParams(params);
  next.delete(key);
  if (value !== "") next.set(key, value);
  return next;
}

/**
 * Returns only the filter and sort order of a query. An episode's page keeps those of the table that it was opened
 * from.
 * @param {URLSearchParams} params
 */
export function filterOnly(params) {
  const kept = new URLSearchParams();
  for (const [key, value] of params) {
    if (Object.hasOwn(FIELDS, key) || key === "text" || key === "sort") {
      kept.append(key, value);
    }
  }
  return kept;
}

/**
 * Draws the navigation bar for a view.
 * @param {View} view
 * @param {{ onHelp: () => void }} options
 */
export function drawBar(view, { onHelp }) {
  const crumbs = view.crumbs.map(({ text, href }) =>
    h(
      "li",
      href === null
        ? h("span", { "aria-current": "page" }, inline(text, 60))
        : h("a", { href }, inline(text, 60)),
    )
  );
  fill(
    byId("bar"),
    h("a.brand", { href: "#/" }, "taulab"),
    h(
      "nav",
      { "aria-label": "Breadcrumbs" },
      h("ol.crumbs", crumbs),
    ),
    h("span", { id: "live", class: "live", role: "status" }),
    keyButton("Keys", "?", { class: "quiet", onclick: onHelp }),
  );
  document.title = `${view.title} – taulab`;
}

/**
 * Shows the state of the page's data: live, static or unreachable.
 * @param {"live" | "still" | "off"} state
 */
export function drawLive(state) {
  const live = document.getElementById("live");
  if (live === null || live.dataset["state"] === state) return;
  live.dataset["state"] = state;
  live.textContent = { live: "live", still: "", off: "no response" }[state];
}

/**
 * Creates the notice of an error, shown above a view or in its place.
 * @param {unknown} error
 */
export function notice(error) {
  const kind = /** @type {{ kind?: string }} */ (error)?.kind ?? "bug";
  const message = error instanceof Error ? error.message : String(error);
  const titles = /** @type {Readonly<Record<string, string>>} */ ({
    gone: "The data is missing",
    damaged: "The data cannot be read",
    newer: "The data is from a newer version of taulab",
    unknown: "Not found",
    filter: "This filter is invalid",
    offline: "The viewer does not respond",
    refused: "The viewer refused the request",
  });
  return h(
    "div",
    { class: `notice ${kind}`, role: "alert" },
    h("strong", titles[kind] ?? "Something went wrong"),
    h("p", inline(message, 2000)),
  );
}

/**
 * @param {string} path
 * @param {URLSearchParams} params
 */
function withQuery(path, params) {
  const query = params.toString();
  return query === "" ? path : `${path}?${query}`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // typed by hand
  }
}

/**
 * @param {string} text
 * @param {string} mark
 */
function split(text, mark) {
  const at = text.indexOf(mark);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
