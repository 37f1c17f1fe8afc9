/** Tables of plain text, for terminals and wherever no HTML can be shown. */

/** A number, a share or an amount with its unit: such columns stand to the right. */
const AMOUNT = /^([-+±]?[\d.,]+|–|)([ %].*)?$/;

/**
 * Lays rows out in columns, the first row being the head; numbers are set right, words left.
 * @param rows `[R][C]`, cells as they shall read.
 * @param options.widest Characters of a column that the others are aligned with; longer cells stick out. Default: all.
 * @returns Lines joined by newlines, without one at the end.
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
