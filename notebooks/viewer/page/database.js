/** The view of database changes: the initial, actual and expected values of each changed field. */

import { h, panel, scrollTable } from "./dom.js";
import { inline, textBlock } from "./text.js";

/** @typedef {import("../protocol.ts").DatabaseView} ShownDatabase */
/** @typedef {import("../protocol.ts").RowView} ShownRow */
/** @typedef {import("../protocol.ts").FieldView} ShownField */

/** @type {Readonly<Record<ShownField["verdict"], readonly [string, string]>>} */
const VERDICTS = {
  right: ["✓", "as expected"],
  wrong: ["✗", "changed to a wrong value"],
  missing: ["✗", "not changed, but should have been"],
  extra: ["✗", "changed, but should not have been"],
};

/** Labels for the side whose database contains a row. */
const SIDES = { agent: "agent's", user: "user's" };

/**
 * @param {ShownDatabase} database
 * @returns {HTMLElement}
 */
export function databaseSection({ rows, isWhole, note }) {
  const wrong = rows.filter(({ isRight }) => !isRight).length;
  const right = rows.length - wrong;
  return panel(
    "database",
    "Database",
    h(
      "p.muted",
      rows.length === 0
        ? (isWhole
          ? "No row changed, as expected."
          : "The record contains no wrong rows.")
        : [
          wrong > 0 ? `${plural(wrong, "row")} wrong` : "",
          right > 0 ? `${plural(right, "row")} changed as expected` : "",
        ].filter(Boolean).join(", ") + ".",
    ),
    note === null ? null : h("p.note", inline(note, 1000)),
    rows.map((row) => rowBlock(row, isWhole)),
  );
}

/**
 * @param {ShownRow} row
 * @param {boolean} isWhole
 */
function rowBlock({ side, table, id, isRight, fields }, isWhole) {
  const heads = isWhole
    ? ["Field", "Was", "Is", "Should be"]
    : ["Field", "Is", "Should be"];
  const title = h(
    "span",
    h("span", {
      class: isRight ? "good-text" : "bad-text",
      "aria-hidden": "true",
    }, isRight ? "✓ " : "✗ "),
    side === undefined ? null : h("span.tag", SIDES[side]),
    inline(table, 60),
    " ",
    h("b", inline(id, 80)),
  );
  const body = scrollTable("table.fields", `${table} ${id}`, {
    heads,
    rows: fields.map((field) => fieldRow(field, isWhole)),
  });
  return h(
    "details",
    { class: `row-diff ${isRight ? "right" : "wrong"}`, open: !isRight },
    h("summary", title),
    body,
  );
}

/**
 * @param {ShownField} field
 * @param {boolean} isWhole
 */
function fieldRow({ path, was, is, should, verdict }, isWhole) {
  const [mark, words] = VERDICTS[verdict];
  const cell = (
    /** @type {string} */ label,
    /** @type {string | null | undefined} */ value,
    /** @type {string} */ kind,
  ) =>
    h(
      "td",
      { class: kind, "data-label": label },
      value === null || value === undefined
        ? h("span.muted", "nothing")
        : textBlock(value, { className: "code" }),
    );
  return h(
    "tr",
    { class: verdict },
    h(
      "th",
      { scope: "row" },
      h(
        "span",
        { class: verdict === "right" ? "good-text" : "bad-text", title: words },
        mark,
        h("span.sr", ` ${words}: `),
      ),
      " ",
      inline(path === "" ? "the whole row" : path, 120),
    ),
    isWhole ? cell("Was", was, "was") : null,
    cell("Is", is, verdict === "right" ? "is good" : "is bad"),
    cell("Should be", should, "should"),
  );
}

/**
 * @param {number} n
 * @param {string} word
 */
function plural(n, word) {
  return `${n} ${word}${n === 1 ? "" : "s"}`;
}
