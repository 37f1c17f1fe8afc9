/** Explains schema issues: what is wrong with a value, and the nearest valid key or choice. */

import type { z } from "zod";

/**
 * Finds the known word that is nearest to a word, by edit distance.
 * @returns The nearest word; `undefined` if `known` is empty.
 * @example
 * ```ts
 * import { equal } from "node:assert/strict";
 * import { nearest } from "./schema_issue.ts";
 * equal(nearest("gruopSize", ["groupSize", "steps"]), "groupSize");
 * ```
 */
export function nearest(
  word: string,
  known: readonly string[],
): string | undefined {
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/**
 * Describes what is wrong with a value: `expected number, got "many"`. Suggests the nearest choice if the value is
 * misspelled. If the value is `undefined`, returns only what was expected.
 */
export function explainIssue(issue: z.core.$ZodIssue, value: unknown): string {
  const text = issue.message.replace(/^(Invalid input|Invalid option): /, "")
    .replace(/, received .*$/, "");
  const half = `${text[0]?.toLowerCase() ?? ""}${text.slice(1)}`;
  return value === undefined
    ? half
    : `${half}, got ${quote(value)}${suggestionFor(issue, value)}`;
}

/**
 * The maximum length of a value that is compared with the choices. Edit distance takes time proportional to the product
 * of both lengths.
 */
const MAX_LETTERS = 200;

/** Suggests the nearest choice; returns an empty string if there is none. */
function suggestionFor(issue: z.core.$ZodIssue, value: unknown): string {
  return issue.code === "invalid_value" && typeof value === "string"
    ? suggestion(value, issue.values.map(String))
    : "";
}

/**
 * Suggests the known word that is nearest to a misspelled word: `; did you mean "task"?`. Returns an empty string if
 * the word is very long, or more than half of it would have to change.
 */
export function suggestion(word: string, known: readonly string[]): string {
  if (word.length > MAX_LETTERS) return "";
  const best = nearest(word, known);
  if (best === undefined) return "";
  const distance = editDistance(word.toLowerCase(), best.toLowerCase());
  return distance <= word.length / 2 ? `; did you mean "${best}"?` : "";
}

function quote(value: unknown): string {
  const text = textOf(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return "a value that is nested too deeply";
  }
}

/** Counts the insertions, deletions, replacements and swaps of neighbors that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(
        rows[i - 1]![j]! + 1,
        row[j - 1]! + 1,
        rows[i - 1]![j - 1]! + cost,
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      }
      row.push(least);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
