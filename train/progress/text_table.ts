/** Formats plain-text tables for terminals and other output without HTML. */

/**
 * Matches a cell that is a number, a share, an amount with a unit, a dash, or empty. Columns that have only such cells
 * below the header are right-aligned.
 */
const AMOUNT = /^([-+±]?[\d.,]+|–|)([ %].*)?$/;

/**
 * Formats rows as a table, with a rule below the first row, which is the header. Columns of numbers are right-aligned,
 * and all others are left-aligned.
 * @param rows `[R][C]`, formatted cells.
 * @param options.widest The maximum width of a column in characters; longer cells overflow. Default: unlimited.
 * @returns Lines joined by newlines, without a trailing one.
 */
export function table(
  rows: readonly (readonly string[])[],
  { widest = Infinity }: { readonly widest?: number } = {},
): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, c) =>
      Math.min(widest, Math.max(...rows.map((row) => (row[c] ?? "").length))),
  );
  const right = widths.map((_, c) =>
    rows.slice(1).every((row) => AMOUNT.test(row[c] ?? ""))
  );
  const lines = rows.map((row) =>
    widths.map((width, c) =>
      right[c] ? (row[c] ?? "").padStart(width) : (row[c] ?? "").padEnd(width)
    ).join("  ").trimEnd()
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return lines.join("\n");
}
