/**
 * Parses a telecom user's knowledge from the task's instruction. The knowledge does not include the cause of the
 * problem.
 */

/** The service that does not work from the user's point of view: cellular service, mobile data or picture messages. */
export type Complaint = "service" | "data" | "mms";

/** A telecom user's knowledge, as stated in the task's instruction. */
export interface Story {
  readonly complaint: Complaint;
  readonly name?: string;
  readonly phone?: string;
  /** The user's location: `abroad in France`, `at home in the United States`. */
  readonly place?: string;
  /** The amount of data that the user is willing to buy, in GB: `2.0`. */
  readonly refuelGb?: string;
}

/**
 * Parses an instruction into the reason for the call, the facts known to the user, and what the user is willing to do.
 */
export function readStory(instruction: string): Story {
  const reason = between(instruction, "Reason for call:", "Known info:") ??
    instruction;
  const known = instruction.slice(
    Math.max(0, instruction.indexOf("Known info:")),
  );
  const story = {
    name: between(known, "You are ", " with phone number "),
    phone: wordAfter(known, " with phone number "),
    place: between(known, "You are currently ", "."),
    refuelGb: between(instruction, "willing to refuel ", " GB"),
  };
  const told = Object.entries(story).filter(([, value]) => value !== undefined);
  return { complaint: complaintOf(reason), ...Object.fromEntries(told) };
}

function complaintOf(reason: string): Complaint {
  if (/\bMMS\b/.test(reason)) return "mms";
  return /\bno service\b/i.test(reason) ? "service" : "data";
}

/** Returns the trimmed text between the first `start` and the next `end`, or `undefined` if either is missing. */
function between(
  text: string,
  start: string,
  end: string,
): string | undefined {
  const from = text.indexOf(start);
  if (from < 0) return undefined;
  const to = text.indexOf(end, from + start.length);
  return to < 0 ? undefined : text.slice(from + start.length, to).trim();
}

/** Returns the word after the first `start`, without a trailing full stop, or `undefined` if `start` is missing. */
function wordAfter(text: string, start: string): string | undefined {
  const from = text.indexOf(start);
  if (from < 0) return undefined;
  const word = text.slice(from + start.length, from + start.length + 40)
    .split(/\s/)[0] ?? "";
  return word.endsWith(".") ? word.slice(0, -1) : word;
}
