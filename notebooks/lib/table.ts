/** Formats tables as HTML and as text. */

import { count } from "../../train/progress/amounts.ts";
import { table as textTable } from "../../train/progress/text_table.ts";
import { type Html, html } from "./html.ts";
import { Rich } from "./rich.ts";

/**
 * The value in a cell of a table. Numbers are right-aligned, a `Rich` keeps its markup, and `null` is shown as an empty
 * cell.
 */
export type Cell = string | number | null | Rich;

/** Options for {@linkcode table}. */
export interface TableOptions {
  /** The maximum number of rows to show. A note below the table states how many rows were omitted. Default: 50. */
  readonly limit?: number;
}

/**
 * Shows records as a table. Its columns are the keys of the first record.
 *
 *     table([{ intent: "cancel", reward: 0.5 }])
 */
export function table(
  records: readonly Readonly<Record<string, Cell>>[],
  { limit = 50 }: TableOptions = {},
): Rich {
  const columns = Object.keys(records[0] ?? {});
  if (columns.length === 0) {
    return new Rich({
      html: html`<p class="dim">no rows</p>`,
      text: "no rows",
    });
  }
  const shown = records.slice(0, limit)
    .map((record) => columns.map((column) => record[column] ?? null));
  const more = records.length - shown.length;
  const note = more > 0 ? `… and ${more} more` : "";
  const cells = shown.map((row) => row.map(cellText));
  const text = textTable([columns, ...cells], { widest: 60 });
  return new Rich({
    html: html`
      <table>
        <thead>
          <tr>${columns.map((name, i) =>
            html`<th ${numberClass(shown, i)}>${name}</th>`
          )}</tr>
        </thead>
        <tbody>${shown.map((row) =>
          html`<tr>${
            row.map((cell, i) =>
              html`<td ${isShort(cell) ? SHORT : numberClass(shown, i)}>${
                cellHtml(cell)
              }</td>`
            )
          }</tr>`
        )}</tbody>
      </table>${note === "" ? null : html`<p class="dim">${note}</p>`}
    `,
    text: note === "" ? text : `${text}\n${note}`,
  });
}

/**
 * Checks whether a cell is so short that it should stay on one line. For example, ids should not be broken across
 * lines.
 */
function isShort(cell: Cell): boolean {
  return typeof cell === "string" && cell.length <= 28;
}

const SHORT = html`
  class="short"
`;

function numberClass(rows: readonly (readonly Cell[])[], at: number): Html {
  const cells = rows.map((row) => row[at]).filter((cell) => cell !== null);
  const areNumbers = cells.length > 0 &&
    cells.every((cell) => typeof cell === "number");
  return areNumbers
    ? html`
      class="num"
    `
    : html``;
}

function cellHtml(cell: Cell): Html {
  return cell instanceof Rich ? cell.html : html`${cellText(cell)}`;
}

function cellText(cell: Cell): string {
  if (cell === null) return "";
  return typeof cell === "number" ? numberText(cell) : String(cell);
}

/** Formats a number: `0.125`, `1,234`, or `–` for NaN and infinities. */
export function numberText(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return count(value);
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(3);
}
