/** The advisories above a run's episodes, each with its figures and a link to the episodes. */

import { h } from "./dom.js";
import { count } from "./format.js";
import { tableHref } from "./shell.js";
import { inline } from "./text.js";

/** @typedef {import("../protocol.ts").Advisories["advisories"][number]} ShownAdvisory */

/**
 * Lists the advisories, folded if none is a warning. Returns `null` if there are none.
 * @param {readonly ShownAdvisory[]} advisories
 * @param {{ run: string }} options
 * @returns {HTMLElement | null}
 */
export function advisoryList(advisories, { run }) {
  if (advisories.length === 0) return null;
  const warnings = advisories.filter(({ level }) => level === "warning").length;
  const words = advisories.length === 1 ? "advisory" : "advisories";
  return h(
    "details.advisories",
    { open: warnings > 0 },
    h("summary", `${count(advisories.length)} ${words}`),
    h("ul", advisories.map((one) => advisoryItem(one, run))),
  );
}

/**
 * @param {ShownAdvisory} advisory
 * @param {string} run
 */
function advisoryItem({ kind, level, title, evidence, filter, curve }, run) {
  const links = [
    filter === null ? null : h(
      "a",
      { href: tableHref(run, new URLSearchParams(filter)) },
      "episodes",
    ),
    curve === null ? null : h("a", {
      href: tableHref(run, new URLSearchParams({ show: "curves" })),
    }, "curves"),
  ].flatMap((link) => link === null ? [] : [" ", link]);
  return h(
    "li",
    { "data-kind": kind },
    h(
      "strong",
      { class: level === "warning" ? "warn" : null },
      inline(title, 300),
    ),
    h("p", inline(evidence, 1000), ...links),
  );
}
