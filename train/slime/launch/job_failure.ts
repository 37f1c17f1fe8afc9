/** Explains why a slime job failed, with the last error in its log and, if it is known, the cause. */

import { plainLine } from "./log_line.ts";
import type { RayJob } from "./ray_jobs.ts";
import { type Symptom, SYMPTOMS } from "./symptoms.ts";

/** The explanation of a failed job. */
export interface JobFailure {
  /**
   * The last error that the job printed, without Ray's prefixes, truncated to 12 lines. If the job printed no error,
   * the last lines of its log; if the log is empty, Ray's message.
   */
  readonly lastError: string;
  readonly symptom: Symptom | undefined;
}

const LAST_LINES = 12;

/** Explains the failure of a job from its log. */
export function explainFailure(
  job: Pick<RayJob, "message">,
  lines: readonly string[],
): JobFailure {
  const plain = lines.map(plainLine);
  const error = lastErrorOf(plain);
  const lastError = error === "" ? job.message.trim() : error;
  return { lastError, symptom: symptomOf([...plain, lastError]) };
}

/** Formats the failure as text: the last error and, if it is known, the likely cause with its fix. */
export function failureText({ lastError, symptom }: JobFailure): string {
  const known = symptom === undefined
    ? ""
    : `\nLikely cause: ${symptom.cause}; ${symptom.fix}`;
  return `${lastError || "its log contains no error"}${known}`;
}

/**
 * Returns the most specific symptom in the log; `undefined` if there is none. The position in the log does not matter,
 * because later errors are often only consequences.
 */
function symptomOf(lines: readonly string[]): Symptom | undefined {
  return SYMPTOMS.find(({ pattern }) =>
    lines.some((line) => pattern.test(line))
  );
}

const ERROR_LINE = /^\s*(?:[\w.]+\.)?\w*(?:Error|Exception|Interrupt)\b.*/;

/** Matches errors that Python prints while it exits. They are consequences of the exit, not its cause. */
const AT_EXIT =
  /can't register atexit after shutdown|after (?:interpreter )?shutdown$|Error in atexit/;

/**
 * Returns the last error with its traceback, truncated to its last 12 lines; the last lines of the log if no line names
 * an error.
 */
function lastErrorOf(lines: readonly string[]): string {
  const telling = lines.findLastIndex((line) =>
    ERROR_LINE.test(line) && !AT_EXIT.test(line)
  );
  const end = telling < 0
    ? lines.findLastIndex((line) => ERROR_LINE.test(line))
    : telling;
  const words = end < 0 ? lines : lines.slice(0, end + 1);
  const tracebackAt = words.findLastIndex((line) =>
    line.startsWith("Traceback (most recent call last)") ||
    line.startsWith("ray::")
  );
  const from = Math.max(words.length - LAST_LINES, end < 0 ? 0 : tracebackAt);
  return words.slice(from).map((line) => line.trimEnd())
    .filter((line) => line.trim() !== "").join("\n");
}
