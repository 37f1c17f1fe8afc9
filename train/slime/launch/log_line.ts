/**
 * Parses the lines of a slime driver's log: removes Ray's prefix and colors, and reads metrics from Python's
 * `repr`.
 * @see slime `slime/observability/` at 624b824: `[time] file.py:12 - perf 3: {'perf/rollout_time': 12.5, …}`,
 *   which Ray prints as `(RolloutManager pid=1234) …`.
 */

/** The kind of a line of metrics: the word before its number. */
export type LogKind =
  | "perf"
  | "rollout"
  | "step"
  | "eval"
  | "multi_turn"
  | "passrate";

/** The metrics in a line of the log. */
export interface LogMetrics {
  readonly kind: LogKind;
  /** The number of the rollout, from 0. For a `step`, the number of the optimizer step, from 0. */
  readonly id: number;
  /** The values, keyed by name. Only numbers are included; `nan` and `inf` are NaN and infinity. */
  readonly values: Readonly<Record<string, number>>;
}

// deno-lint-ignore no-control-regex
const COLOR = /\x1b\[[0-9;]*m/g;
const RAY_PREFIX =
  /^\((?:(?:[\w.<>: ]+ )?pid=\d+|raylet|autoscaler(?: \+\w+)?)(?:, ip=[\d.a-f:]+)?\) ?/;
const HEADER = /(?<!\S)\S+\.py:\d+ - /;
const MESSAGE =
  /^(perf|rollout|step|eval|multi_turn|passrate) (\d+): \{(.*)\}\s*$/;
const ITEM =
  /'([^']*)': (?:np\.\w+\(|tensor\()?(-?(?:\d[\d.]*(?:[eE][-+]?\d+)?|inf)|nan)\b/g;

/** Returns a line as the program printed it, without Ray's prefix and colors. */
export function plainLine(line: string): string {
  return line.replaceAll(COLOR, "").replace(RAY_PREFIX, "");
}

/**
 * Returns the message of a line that a Python logger wrote, without its header; `undefined` if the line has no header.
 */
export function logMessage(line: string): string | undefined {
  const plain = plainLine(line);
  const header = HEADER.exec(plain);
  return header === null
    ? undefined
    : plain.slice(header.index + header[0].length);
}

/**
 * Parses the metrics in a line.
 * @returns The metrics; `undefined` if the line has none. Only text directly after the logger's header counts, because
 * conversations are logged too, and a policy could generate text that looks like metrics.
 */
export function readLogMetrics(line: string): LogMetrics | undefined {
  const match = MESSAGE.exec(logMessage(line) ?? "");
  if (match === null) return undefined;
  const [, kind, id, body = ""] = match;
  const values: Record<string, number> = {};
  for (const [, key, text] of body.matchAll(ITEM)) {
    values[key!] = numberOf(text!);
  }
  return { kind: kind as LogKind, id: Number(id), values };
}

function numberOf(text: string): number {
  if (text === "nan") return NaN;
  return text.endsWith("inf")
    ? Number(`${text}inity`.replace("i", "I"))
    : Number(text);
}
