/** The page's entry point: shows the view for the current URL and keeps it up to date. */

import { fileApi, readExported, serverApi } from "./api.js";
import { compareView } from "./compare_view.js";
import { byId, fill } from "./dom.js";
import { episodeView } from "./episode_view.js";
import { listenForKeys } from "./keyboard.js";
import { runsView } from "./runs_view.js";
import { drawBar, drawLive, notice, readRoute } from "./shell.js";
import { tableView } from "./table_view.js";

/** The polling interval of views, in milliseconds. */
const LOOK_MS = 1500;

const VIEWS = {
  runs: runsView,
  table: tableView,
  episode: episodeView,
  compare: compareView,
};

await start();

async function start() {
  const stored = document.getElementById("taulab-data");
  const api = stored === null
    ? serverApi()
    : fileApi(await readExported(stored.textContent ?? ""));
  byId("foot").textContent = api.origin;
  const content = byId("content");
  /** @type {import("./shell.js").View | undefined} */
  let view;
  const { showHelp } = listenForKeys(() => view?.keys ?? {});
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    content.focus();
  });

  let isLooking = false;
  async function look() {
    const looked = view;
    if (looked === undefined || isLooking) return;
    isLooking = true;
    try {
      await looked.refresh();
      if (looked !== view) return;
      clearNotice();
      drawLive(api.isLive ? "live" : "still");
    } catch (error) {
      if (looked === view) say(error);
    } finally {
      isLooking = false;
      // The URL changed while the last view was refreshing.
      if (looked !== view) void look();
    }
  }

  /** @param {unknown} error */
  function say(error) {
    if (error instanceof DOMException && error.name === "AbortError") return;
    drawLive("off");
    const text = error instanceof Error ? error.message : String(error);
    if (content.querySelector("#notice")?.textContent?.includes(text)) return;
    clearNotice();
    const said = notice(error);
    said.id = "notice";
    content.prepend(said);
  }

  function clearNotice() {
    content.querySelector("#notice")?.remove();
  }

  function show() {
    const route = readRoute(location.hash);
    if (view?.accept?.(route)) return;
    const isFirst = view === undefined;
    view?.close();
    view = VIEWS[route.name](api, route);
    fill(content, view.element);
    drawBar(view, { onHelp: showHelp });
    scrollTo(0, 0);
    // Moves the focus to the new view, except on page load, when the browser sets it.
    if (!isFirst) content.focus({ preventScroll: true });
    void look();
  }

  // Links within the page also fire this event.
  addEventListener("popstate", show);
  content.addEventListener(
    "problem",
    (event) => say(/** @type {CustomEvent} */ (event).detail),
  );
  show();
  if (!api.isLive) return;
  setInterval(() => {
    if (!document.hidden) void look();
  }, LOOK_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void look();
  });
}
