/** The runs, and the curves of those that are chosen side by side. */

import { lineChart } from "./chart.js";
import { fill, h, scrollTable } from "./dom.js";
import { count, moment, number, percent } from "./format.js";
import { notice, runsHref, tableHref } from "./shell.js";
import { inline } from "./text.js";

/** @typedef {import("./api.js").Api} RunsApi */
/** @typedef {import("./shell.js").View} RunsShellView */
/** @typedef {import("./shell.js").Route} RunsRoute */
/** @typedef {import("../protocol.ts").RunSummary} ListedRun */
/** @typedef {import("../protocol.ts").RunView} CurvedRun */

/** What is drawn first, the rest being a click away. */
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
  "cold_start.loss": "Loss of the cold start",
  "control/seconds.loss": "Loss of the control",
};

const MAX_CHOSEN = 6;

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
  const element = h(
    "div.page",
    h("h1", { tabindex: "-1" }, "Runs"),
    list,
    curves,
  );
  /** @type {string[]} */
  let chosen = route.params.getAll("run");
  let isAllShown = route.params.has("all");
  let drawn = "";

  async function refresh() {
    const { value: { runs }, tag } = await api.runs(signal);
    const isFirst = chosen.length === 0;
    const ids = isFirst
      ? runs.filter(({ error, steps }) => error === null && steps !== null)
        .slice(0, 4).map(({ id }) => id)
      : chosen;
    const views = await Promise.all(ids.map((id) => viewOf(id)));
    const state = JSON.stringify([
      tag,
      ids,
      views.map(({ tag }) => tag),
      isAllShown,
    ]);
    if (state === drawn) return;
    drawn = state;
    const focus = /** @type {HTMLElement | null} */ (document.activeElement)
      ?.dataset?.["run"];
    fill(list, runs.length === 0 ? empty() : runTable(runs, ids));
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
   * @returns {Promise<{ value: CurvedRun | null, tag: string, error: unknown }>}
   */
  async function viewOf(id) {
    try {
      return { ...await api.run(id, signal), error: null };
    } catch (error) {
      if (signal.aborted) throw error;
      return { value: null, tag: String(error), error };
    }
  }

  /** @param {string[]} ids */
  function choose(ids) {
    chosen = ids;
    const params = new URLSearchParams(ids.map((id) => ["run", id]));
    if (isAllShown) params.set("all", "1");
    history.replaceState(null, "", runsHref(params));
    void refresh().catch(() => {});
  }

  /**
   * @param {readonly ListedRun[]} runs
   * @param {string[]} ids
   */
  function runTable(runs, ids) {
    const right = new Set(["Seed", "Steps", "Episodes", "Reward", "pass^1"]);
    const heads = ["Run", "Kind", "State", "Data", ...right, "Started"].map(
      (name) =>
        h("th", { scope: "col", class: right.has(name) ? "num" : null }, name),
    );
    const region = scrollTable("table.runs", "Runs", {
      heads: [h("th", { scope: "col" }, h("span.sr", "Curves")), ...heads],
      rows: runs.map((run) => runRow(run, ids)),
    });
    region.firstElementChild?.prepend(
      h("caption.sr", "Runs, the youngest first"),
    );
    return region;
  }

  /**
   * @param {ListedRun} run
   * @param {string[]} ids
   */
  function runRow(run, ids) {
    const at = ids.indexOf(run.id);
    const box = h("input", {
      type: "checkbox",
      "data-run": run.id,
      "aria-label": `Curves of ${run.id}`,
      checked: at >= 0,
      disabled: run.steps === null || (at < 0 && ids.length >= MAX_CHOSEN),
      onchange: () =>
        choose(at >= 0 ? ids.filter((id) => id !== run.id) : [...ids, run.id]),
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
        h("td", { colspan: "9" }, inline(run.error, 300)),
      );
    }
    const state = run.outcome ?? "–";
    return h(
      "tr",
      pick,
      name,
      h("td", run.trainer === null ? run.kind : `${run.kind}, ${run.trainer}`),
      h(
        "td",
        h("span", { class: `state ${state}` }, state),
        run.error === null ? null : h(
          "span.warn",
          { title: run.error },
          run.kind === "results" ? " ⚠ records left out" : " ⚠ metrics damaged",
        ),
      ),
      h("td", inline(run.data ?? "–", 40)),
      h("td.num", run.seed === null ? "–" : String(run.seed)),
      h("td.num", count(run.steps)),
      h("td.num", count(run.episodes)),
      h("td.num", number(run.reward)),
      h("td.num", { title: run.pass1Of }, percent(run.pass1)),
      h("td", moment(run.startedAt)),
    );
  }

  /**
   * @param {readonly CurvedRun[]} views
   * @param {readonly unknown[]} errors
   */
  function drawCurves(views, errors) {
    const keys = [
      ...new Set(views.flatMap((view) => view.curves.map(({ key }) => key))),
    ];
    if (keys.length === 0) return fill(curves, errors.map(notice));
    const first = FIRST_CURVES.filter((key) => keys.includes(key));
    const chosenFirst = first.length > 0 ? first : keys.slice(0, 6);
    const rest = keys.filter((key) => !chosenFirst.includes(key)).sort();
    const draw = (/** @type {string} */ key) =>
      lineChart({
        title: CURVE_NAMES[key] ?? curveName(key),
        series: views.flatMap(({ run, curves }, color) => {
          const points = curves.find((curve) => curve.key === key)?.points;
          return points === undefined ? [] : [{ name: run.id, color, points }];
        }),
      });
    const more = rest.length === 0 ? null : h(
      "details.more-curves",
      { open: isAllShown, ontoggle: onToggle },
      h("summary", `${rest.length} more curves`),
      h("div.charts", isAllShown ? rest.map(draw) : []),
    );
    /** @param {Event} event */
    function onToggle(event) {
      const details = /** @type {HTMLDetailsElement} */ (event.currentTarget);
      isAllShown = details.open;
      const room = details.querySelector(".charts");
      if (details.open && room?.childElementCount === 0) {
        room.append(...rest.map(draw));
      }
    }
    fill(
      curves,
      h("h2", { id: "curves-title" }, "Curves"),
      errors.map(notice),
      h("div.charts", chosenFirst.map(draw)),
      more,
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
      "Start one by ",
      h("code", "deno task train"),
      "; it shows up here by itself.",
    ),
  );
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
