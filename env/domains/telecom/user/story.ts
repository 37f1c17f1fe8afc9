/** What a user of telecom knows, read off the prose that tells them who they are. The diagnosis is no part of it. */

/** What does not work, as its user sees it. */
export type Complaint = "service" | "data" | "mms";

/** What the user knows. */
export interface Story {
  readonly complaint: Complaint;
  readonly name?: string;
  readonly phone?: string;
  /** `abroad in France`, `at home in the United States`. */
  readonly place?: string;
  /** How much data they would buy, `2.0`. */
  readonly refuelGb?: string;
}

/** Reads a scenario: why the user calls, what they know, and what they would do. */
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

/** What stands between the first `start` and the next `end`, trimmed. */
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

/** The word after the first `start`, without a full stop. */
function wordAfter(text: string, start: string): string | undefined {
  const from = text.indexOf(start);
  if (from < 0) return undefined;
  const word = text.slice(from + start.length, from + start.length + 40)
    .split(/\s/)[0] ?? "";
  return word.endsWith(".") ? word.slice(0, -1) : word;
}
