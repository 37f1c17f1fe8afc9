/** The side-by-side comparison of evaluations: how often each solves its tasks, and the tasks on which they differ. */

import { h, scrollTable } from "./dom.js";
import { count, percent } from "./format.js";
import { tableHref, withParam } from "./shell.js";
import { inline } from "./text.js";

/** @typedef {import("../protocol.ts").RunView} ComparedRun */
/** @typedef {import("../protocol.ts").TaskScore} ComparedTask */

/** The maximum number of tasks in the table of differences. */
const MAX_TASKS = 50;

/**
 * Compares the evaluations among the runs. Returns `null` if there are none.
 * @param {readonly ComparedRun[]} views
 * @returns {HTMLElement | null}
 */
export function comparison(views) {
  const evaluations = views.flatMap(({ run, tasks }) =>
    tasks === null || tasks.length === 0
      ? []
      : [{ id: run.id, tasks: new Map(tasks.map((one) => [one.task, one])) }]
  );
  if (evaluations.length === 0) return null;
  return h(
    "section.comparison",
    { "aria-labelledby": "comparison-title" },
    h("h2", { id: "comparison-title" }, "Evaluations"),
    passTable(evaluations),
    evaluations.length > 1 ? differences(evaluations) : null,
  );
}

/** @typedef {{ id: string, tasks: Map<string, ComparedTask> }} Evaluation */

/** @param {readonly Evaluation[]} evaluations */
function passTable(evaluations) {
  const most = Math.min(
    ...evaluations.map(({ tasks }) =>
      Math.min(...[...tasks.values()].map(({ scored }) => scored))
    ),
  );
  const ks = Array.from({ length: Math.max(1, most) }, (_, i) => i + 1)
    .slice(0, 8);
  return scrollTable("table.passes", "pass^k of the evaluations", {
    heads: [
      "Evaluation",
      ...["Tasks", "Episodes", ...ks.map((k) => `pass^${k}`)].map((head) =>
        h("th", { scope: "col", class: "num" }, head)
      ),
    ],
    rows: evaluations.map(({ id, tasks }) => {
      const all = [...tasks.values()];
      return h(
        "tr",
        h(
          "th",
          { scope: "row" },
          h("a", { href: tableHref(id) }, inline(id, 80)),
        ),
        h("td.num", count(all.length)),
        h("td.num", count(all.reduce((sum, { scored }) => sum + scored, 0))),
        ks.map((k) => h("td.num", percent(passAt(all, k)))),
      );
    }),
  });
}

/**
 * Estimates pass^k: the mean over tasks of the share of `k`-subsets of episodes that are all solved.
 * @param {readonly ComparedTask[]} tasks
 * @param {number} k
 * @returns {number | null} `null` if no task has `k` episodes.
 */
export function passAt(tasks, k) {
  const able = tasks.filter(({ scored }) => scored >= k);
  if (able.length === 0) return null;
  const sum = able.reduce((sum, { solved, scored }) => {
    let share = 1;
    for (let i = 0; i < k; i++) share *= Math.max(0, solved - i) / (scored - i);
    return sum + share;
  }, 0);
  return sum / able.length;
}

/** @param {readonly Evaluation[]} evaluations */
function differences(evaluations) {
  const found = differingTasks(evaluations.map(({ tasks }) => tasks));
  const { differing, common } = found;
  if (common === 0) return h("p.muted", "The runs have no task in common.");
  const summary = h(
    "p",
    `Common tasks that the evaluations solve at different rates: ${
      count(differing.length)
    } of ${count(common)}${
      differing.length > MAX_TASKS ? `; the first ${MAX_TASKS} are listed` : ""
    }.`,
  );
  if (differing.length === 0) return summary;
  return h(
    "div",
    summary,
    scrollTable("table.differing", "Tasks on which the runs differ", {
      heads: [
        "Task",
        ...evaluations.map(({ id }) =>
          h("th", { scope: "col", class: "num" }, inline(id, 40))
        ),
      ],
      rows: differing.slice(0, MAX_TASKS).map((task) =>
        h(
          "tr",
          h("th", { scope: "row" }, inline(task, 80)),
          evaluations.map(({ id, tasks }) => {
            const { solved = 0, scored = 0 } = tasks.get(task) ?? {};
            const params = withParam(new URLSearchParams(), "task", task);
            return h(
              "td.num",
              h("a", { href: tableHref(id, params) }, `${solved} of ${scored}`),
            );
          }),
        )
      ),
    }),
  );
}

/**
 * Returns the number of common tasks, and the tasks on which the evaluations differ, in descending order of the
 * difference.
 * @param {readonly ReadonlyMap<string, ComparedTask>[]} evaluations
 * @returns {{ differing: string[], common: number }}
 */
export function differingTasks(evaluations) {
  const [first = new Map(), ...others] = evaluations;
  const common = [...first.keys()].filter((task) =>
    others.every((tasks) => tasks.has(task))
  );
  const apart = (/** @type {string} */ task) => {
    const shares = evaluations.map((tasks) => {
      const { solved = 0, scored = 0 } = tasks.get(task) ?? {};
      return scored === 0 ? 0 : solved / scored;
    });
    return Math.max(...shares) - Math.min(...shares);
  };
  const differing = common.filter((task) => apart(task) > 0)
    .sort((a, b) => apart(b) - apart(a));
  return { differing, common: common.length };
}
