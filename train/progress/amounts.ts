/** Formats counts, durations, sizes, shares and prices for people. */

/** Formats a count with thousands separators: `18,204`. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Formats a duration: `4.2 s`, `3 min 05 s`, `1 h 02 min`; `?` if it is not finite. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${pad(whole % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}

/** Formats a number of bytes in binary units: `512 B`, `1.5 MiB`. */
export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const unit = Math.min(
    units.length - 1,
    Math.floor(Math.log2(Math.max(1, count)) / 10),
  );
  const value = count / 1024 ** unit;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** Formats a number of bytes in decimal gigabytes, as for disks and GPUs: `8.1 GB`. */
export function gigabytes(count: number): string {
  return `${(count / 1e9).toFixed(1)} GB`;
}

/** Formats a share as a percentage: `62.5%`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

/** Formats US dollars, with more digits for small sums: `$0.0042`, `$12.50`. */
export function dollars(cost: number): string {
  return `$${cost.toFixed(cost < 1 ? 4 : 2)}`;
}
