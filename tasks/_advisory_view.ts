/** Advisories in a terminal: what to look at in a run, and the filter that finds its episodes. */

import { type Advisory, filterText } from "../train/diagnosis/advisories.ts";

/** A paragraph an advisory; empty where there is none. */
export function advisoriesText(advisories: readonly Advisory[]): string {
  return advisories.map(({ level, title, evidence, filter }) =>
    [
      `${level}: ${title}`,
      `  ${evidence}`,
      ...(filter === null ? [] : [`  episodes: ${filterText(filter)}`]),
    ].join("\n")
  ).join("\n");
}
