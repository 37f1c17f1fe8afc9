/** Sentences about a run that follow from its episodes, so that they are true of any run. */

import type { RunEpisode } from "../../train/runs/run_episodes.ts";
import type { Difference } from "./compare_runs.ts";
import { html } from "./html.ts";
import type { GroupRow } from "./rewards.ts";
import { Rich } from "./rich.ts";

/** Text as a paragraph. */
function paragraph(text: string): Rich {
  return new Rich({ html: html`<p>${text}</p>`, text });
}

/** How many attempts some episodes have at their tasks. */
export function attemptsText(episodes: readonly RunEpisode[]): Rich {
  const byTask = Map.groupBy(episodes, ({ task }) => task.id);
  const counts = [...byTask.values()].map(({ length }) => length);
  if (counts.length === 0) return paragraph("There are no episodes.");
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const attempts = least === most ? `${most}` : `${least} to ${most}`;
  return paragraph(
    `${counted(counts.length, "task")}, ${attempts} ${
      most === 1 ? "attempt" : "attempts"
    } at each.`,
  );
}

/** How much there was to learn from in the groups of a run, and what to change where that was little. */
export function groupsText(groups: readonly GroupRow[]): Rich {
  if (groups.length === 0) return paragraph("The run kept no group.");
  const useful = groups.filter(({ variance }) => variance > 0).length;
  const solved =
    groups.filter(({ rewards, variance }) =>
      variance === 0 && rewards.every((reward) => reward === 1)
    ).length;
  const failed = groups.length - useful - solved;
  const text = [
    `${percent(useful / groups.length)} of ${
      counted(groups.length, "group")
    } differ within and teach.`,
    ...(useful === groups.length
      ? []
      : [`Of the others ${solved} succeed as a whole and ${failed} do not.`]),
    ...(useful * 2 >= groups.length ? [] : failed >= solved
      ? [
        "Most teach nothing: easier tasks, a longer cold start or larger groups would help.",
      ]
      : ["Most teach nothing: harder tasks would help."]),
  ];
  return paragraph(text.join(" "));
}

/** What a paired difference of two runs says, and whether it could be chance. */
export function differenceText(
  { tasks, value, low, high }: Difference,
  [before, after]: readonly [before: string, after: string],
): Rich {
  if (tasks === 0) return paragraph("The two have no task in common.");
  const better = value > 0 ? after : before;
  const by = Math.abs(value).toFixed(3);
  if (value === 0) {
    return paragraph(
      `${before} and ${after} solve their ${
        counted(tasks, "task")
      } equally often.`,
    );
  }
  if (!(low > 0 || high < 0)) {
    return paragraph(
      `${better} solves ${by} more of the ${
        counted(tasks, "task")
      } that both tried, which can be chance: the interval holds 0.`,
    );
  }
  return paragraph(
    `${better} solves ${by} more of the ${
      counted(tasks, "task")
    } that both tried, and the interval does not hold 0.`,
  );
}

function counted(n: number, word: string): string {
  return `${n.toLocaleString("en-US")} ${word}${n === 1 ? "" : "s"}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
