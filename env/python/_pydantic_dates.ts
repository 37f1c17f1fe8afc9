/**
 * Validates dates and times in the format of Python's `str()`. The error messages are shorter than pydantic's. No model
 * sees them, since dates occur only in data files. For an invalid input, each validator adds an error to the findings
 * and returns `undefined`.
 */

import type { Findings } from "./_pydantic_issue.ts";
import type { JsonValue } from "./python_value.ts";

const DATE = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]00:00(?::00(?:\.0+)?)?)?$/;

const DATETIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?$/;

/** Validates a date such as `2025-02-25`, or a datetime at midnight, and returns the date. */
export function validDate(
  input: JsonValue,
  found: Findings,
): string | undefined {
  const match = typeof input === "string" ? DATE.exec(input) : null;
  if (match !== null && isDay(match)) return match.slice(1, 4).join("-");
  return found.add(input, "date_type", "Input should be a valid date");
}

/**
 * Validates a datetime without a time zone, or a date, and returns it in Python's format, such as `2025-01-20
 * 14:30:00`. A date becomes a datetime at midnight.
 */
export function validDatetime(
  input: JsonValue,
  found: Findings,
): string | undefined {
  const match = typeof input === "string" ? DATETIME.exec(input) : null;
  if (match !== null && isDay(match)) {
    const [, year, month, day, hour = "00", minute = "00", second = "00"] =
      match;
    const fraction = (match[7] ?? "").padEnd(6, "0");
    const rest = Number(fraction) === 0 ? "" : `.${fraction}`;
    if (Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60) {
      return `${year}-${month}-${day} ${hour}:${minute}:${second}${rest}`;
    }
  }
  return found.add(input, "datetime_type", "Input should be a valid datetime");
}

/** Checks whether a date exists in the calendar. */
function isDay([, year, month, day]: RegExpExecArray): boolean {
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return Number(year) > 0 && date.getUTCDate() === Number(day);
}
