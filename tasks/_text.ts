/** Text for people: tables, durations, sizes, rates. Part of the command line. */

export { count, duration } from "../train/progress/amounts.ts";

/**
 * Lays rows out in columns, the first row being the head; numbers are set right, words left.
 * @param rows `[R][C]`, cells as they shall read.
 * @returns Lines joined by newlines, without one at the end.
 */
export function table(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, c) => Math.max(...rows.map((row) => (row[c] ?? "").length)),
  );
  const right = widths.map((_, c) =>
    rows.slice(1).every((row) =>
      /^([-+±]?[\d.,]+|–|)([ %].*)?$/.test(row[c] ?? "")
    )
  );
  const lines = rows.map((row) =>
    widths.map((width, c) =>
      right[c] ? (row[c] ?? "").padStart(width) : (row[c] ?? "").padEnd(width)
    ).join("  ").trimEnd()
  );
  lines.splice(1, 0, widths.map((width) => "─".repeat(width)).join("  "));
  return lines.join("\n");
}

/** A number of bytes: `512 B`, `1.5 MiB`. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A share as a percentage: `62.5%`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** US dollars, cents of small sums in full: `$0.0042`, `$12.50`. */
export function dollars(cost: number): string {
  return `$${cost.toFixed(cost < 1 ? 4 : 2)}`;
}

/** `20260102-030405`, in UTC. */
export function stamp(now: Date): string {
  return now.toISOString().replaceAll(/[-:]/g, "").replace("T", "-")
    .slice(0, 15);
}
