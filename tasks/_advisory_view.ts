/**
 * Formats a run's advisories for a terminal. An advisory describes a problem, and names the filter that finds the
 * affected episodes.
 */

import { type Advisory, filterText } from "../train/diagnosis/advisories.ts";

/** Returns the advisories as text, two or three lines each; an empty string if there are none. */
export function advisoriesText(advisories: readonly Advisory[]): string {
  return advisories.map(({ level, title, evidence, filter }) =>
    [
      `${level}: ${title}`,
      `  ${evidence}`,
      ...(filter === null ? [] : [`  episodes: ${filterText(filter)}`]),
    ].join("\n")
  ).join("\n");
}
