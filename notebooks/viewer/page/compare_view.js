/**
 * The task-by-task comparison of two runs: how often each run solved a task, why it failed, and links to the episodes.
 */

import { fill, h, scrollTable } from "./dom.js";
import { count, percent, signed, words } from "./format.js";
import { pairedMean } from "./paired.js";
import { compareHref, notice, runsHref, tableHref } from "./shell.js";
import { inline } from "./text.js";

/** @typedef {import("./api.js").Api} CompareApi */
/** @typedef {import("./shell.js").View} CompareShellView */
/** @typedef {import("./shell.js").Route} CompareRoute */
/** @typedef {import("../protocol.ts").TaskTable} ComparedTable */
/** @typedef {import("../protocol.ts").TaskScore} ComparedScore */
/** @typedef {{ task: string, before: ComparedScore, after: ComparedScore, by: number }} ComparedPair */

/** The maximum number of tasks to list. */
const MAX_COMPARED = 500;

/**
 * @param {CompareApi} api
 * @param {CompareRoute} route
 * @returns {CompareShellView}
 */
export function compareView(api, route) {
  const controller = new AbortController();
  const { signal } = controller;
  const [before = "", after = ""] = route.params.getAll("run");
  const content = h("div");
  const onlyDiffering = h("input", {
    type: "checkbox",
    checked: true,
    onchange: () => redraw(),
  });
  const element = h(
    "div.page",
    h("h1", { tabindex: "-1" }, "Task by task"),
    h(
      "p",
      h("a", { href: compareHref(after, before) }, "Swap the runs"),
      " ",
      h("label", onlyDiffering, " only tasks on which the runs differ"),
    ),
    content,
  );
  let drawn = "";
  /** @type {readonly ComparedTable[]} */
  let tables = [];

  async function refresh() {
    const answers = await Promise.all(
      [before, after].map((run) => api.tasks(run, signal)),
    );
    const state = answers.map(({ tag }) => tag).join(" ");
    if (state === drawn) return;
    drawn = state;
    tables = answers.map(({ value }) => value);
    redraw();
  }

  function redraw() {
    const [left, right] = tables;
    if (left === undefined || right === undefined) return;
    fill(
      content,
      ...comparedTables(left, right, { isShort: onlyDiffering.checked }),
    );
  }

  const runs = new URLSearchParams([["run", before], ["run", after]]);
  return {
    element,
    title: `${before} and ${after}`,
    crumbs: [
      { text: "Runs", href: runsHref(runs) },
      { text: "Task by task", href: null },
    ],
    refresh,
    keys: {
      Escape: () => {
        location.hash = runsHref(runs);
      },
    },
    close: () => controller.abort(),
  };
}

/**
 * @param {ComparedTable} left
 * @param {ComparedTable} right
 * @param {{ isShort: boolean }} options
 * @returns {(Node | null)[]}
 */
function comparedTables(left, right, { isShort }) {
  const pairs = comparedPairs(left.tasks, right.tasks);
  if (pairs.length === 0) {
    return [h("p.muted", "The runs have no task in common.")];
  }
  const areOther = left.fingerprint !== null && right.fingerprint !== null &&
    left.fingerprint !== right.fingerprint;
  const shown = isShort ? pairs.filter(({ by }) => by !== 0) : pairs;
  return [
    areOther
      ? notice(
        new Error(
          "The runs used different datasets: tasks with the same name may differ",
        ),
      )
      : null,
    h("p.difference", comparedWords(pairs, [left, right])),
    scrollTable("table.task-by-task", "Tasks", {
      heads: [
        "Task",
        ...[left, right].map((table) =>
          h("th", { scope: "col", class: "num" }, inline(tableName(table), 50))
        ),
        h("th", { scope: "col", class: "num" }, "Difference"),
        ...[left, right].map((table) => `Failure reasons: ${table.run}`),
      ],
      rows: shown.slice(0, MAX_COMPARED).map((pair) =>
        comparedRow(pair, [left, right])
      ),
    }),
    shown.length > MAX_COMPARED
      ? h(
        "p.muted",
        `Tasks not listed: ${count(shown.length - MAX_COMPARED)}.`,
      )
      : null,
  ];
}

/**
 * Pairs the scores of the tasks that both runs have scored, with the change in the solved share, in ascending order of
 * the change.
 * @param {readonly ComparedScore[]} left
 * @param {readonly ComparedScore[]} right
 * @returns {ComparedPair[]}
 */
export function comparedPairs(left, right) {
  const others = new Map(right.map((one) => [one.task, one]));
  return left.flatMap((before) => {
    const after = others.get(before.task);
    if (after === undefined || before.scored === 0 || after.scored === 0) {
      return [];
    }
    const by = after.solved / after.scored - before.solved / before.scored;
    return [{ task: before.task, before, after, by }];
  }).sort((a, b) => a.by - b.by);
}

/**
 * @param {readonly ComparedPair[]} pairs
 * @param {readonly [ComparedTable, ComparedTable]} tables
 */
function comparedWords(pairs, [left, right]) {
  const shares = (/** @type {"before" | "after"} */ side) =>
    new Map(
      pairs.map((pair) => [pair.task, pair[side].solved / pair[side].scored]),
    );
  const { tasks, value, low, high } = pairedMean(
    shares("before"),
    shares("after"),
  );
  const worse = pairs.filter(({ by }) => by < 0).length;
  const better = pairs.filter(({ by }) => by > 0).length;
  const interval = Number.isFinite(low)
    ? ` (95% interval ${signed(low)} to ${signed(high)})`
    : "";
  return `On ${
    count(tasks)
  } tasks in common, the mean solve rate of ${right.run} differs from that of ${left.run} by ${
    signed(value)
  }${interval}: ${count(better)} better, ${count(worse)} worse, ${
    count(tasks - better - worse)
  } equal.`;
}

/** @param {ComparedTable} table */
function tableName({ run, source }) {
  return source === null ? run : `${run}, ${source}`;
}

/**
 * @param {ComparedPair} pair
 * @param {readonly [ComparedTable, ComparedTable]} tables
 */
function comparedRow({ task, before, after, by }, tables) {
  const sides =
    /** @type {const} */ ([[tables[0], before], [tables[1], after]]);
  return h(
    "tr",
    h("th", { scope: "row" }, inline(task, 80)),
    sides.map(([table, score]) =>
      h(
        "td.num",
        h(
          "a",
          { href: scoreHref(table, score) },
          `${score.solved} of ${score.scored}`,
        ),
      )
    ),
    h(
      "td.num",
      { class: `num ${by < 0 ? "bad-text" : ""}` },
      by === 0 ? "–" : `${by < 0 ? "−" : "+"}${percent(Math.abs(by))}`,
    ),
    sides.map(([, { reasons }]) =>
      h("td", inline(words(reasons).replaceAll(",", ", "), 80))
    ),
  );
}

/**
 * Returns a link to the episodes behind a score.
 * @param {ComparedTable} table
 * @param {ComparedScore} score
 */
function scoreHref({ run, source }, { task, step }) {
  const params = new URLSearchParams({ task });
  if (source !== null) {
    params.set("source", source);
    params.set("step", String(step));
  }
  return tableHref(run, params);
}
