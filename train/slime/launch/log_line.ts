/**
 * Lines of a slime driver's log: Ray's prefix and colours off, and metrics read out of Python's `repr`.
 *
 * @see slime `slime/observability/` at 624b824: `[time] file.py:12 - perf 3: {'perf/rollout_time': 12.5, …}`,
 * which Ray prints as `(RolloutManager pid=1234) …`.
 */

/** What a line of metrics is of. */
export type LogKind =
  | "perf"
  | "rollout"
  | "step"
  | "eval"
  | "multi_turn"
  | "passrate";

/** A line of metrics. */
export interface LogMetrics {
  readonly kind: LogKind;
  /** The rollout's number from 0; of a `step`, the optimizer's. */
  readonly id: number;
  /** Only numbers; `nan` and `inf` as such. */
  readonly values: Readonly<Record<string, number>>;
}

// deno-lint-ignore no-control-regex
const COLOUR = /\x1b\[[0-9;]*m/g;
const RAY_PREFIX =
  /^\((?:(?:[\w.<>: ]+ )?pid=\d+|raylet|autoscaler(?: \+\w+)?)(?:, ip=[\d.a-f:]+)?\) ?/;
const HEADER = /(?<!\S)\S+\.py:\d+ - /;
const MESSAGE =
  /^(perf|rollout|step|eval|multi_turn|passrate) (\d+): \{(.*)\}\s*$/;
const ITEM =
  /'([^']*)': (?:np\.\w+\(|tensor\()?(-?(?:\d[\d.]*(?:[eE][-+]?\d+)?|inf)|nan)\b/g;

/** A line as the program printed it, without Ray's prefix and colours. */
export function plainLine(line: string): string {
  return line.replaceAll(COLOUR, "").replace(RAY_PREFIX, "");
}

/** What the logger was told, without its header; `undefined` where a line is not of a logger. */
export function logMessage(line: string): string | undefined {
  const plain = plainLine(line);
  const header = HEADER.exec(plain);
  return header === null
    ? undefined
    : plain.slice(header.index + header[0].length);
}

/**
 * The metrics of a line; `undefined` where it has none. Only what follows the first header counts: conversations
 * are logged too, and a policy might say what looks like a line of metrics.
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
