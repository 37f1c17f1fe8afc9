/** Describes runs in sentences that are computed from their episodes, so the notebooks' text fits any run. */

import type { RunEpisode } from "../../train/runs/run_episodes.ts";
import type { Difference } from "./compare_runs.ts";
import { html } from "./html.ts";
import type { GroupRow } from "./rewards.ts";
import { Rich } from "./rich.ts";

/** Wraps text in a paragraph. */
function paragraph(text: string): Rich {
  return new Rich({ html: html`<p>${text}</p>`, text });
}

/** Describes how many attempts each task has. */
export function attemptsText(episodes: readonly RunEpisode[]): Rich {
  const byTask = Map.groupBy(episodes, ({ task }) => task.id);
  const counts = [...byTask.values()].map(({ length }) => length);
  if (counts.length === 0) return paragraph("There are no episodes.");
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const attempts = least === most ? `${most}` : `${least} to ${most}`;
  return paragraph(
    `${counted(counts.length, "task")}, ${attempts} ${
      most === 1 ? "attempt" : "attempts"
    } each.`,
  );
}

/** Describes how much learning signal the groups of a run had, and what to change if there was little. */
export function groupsText(groups: readonly GroupRow[]): Rich {
  if (groups.length === 0) return paragraph("The run kept no groups.");
  const useful = groups.filter(({ variance }) => variance > 0).length;
  const solved =
    groups.filter(({ rewards, variance }) =>
      variance === 0 && rewards.every((reward) => reward === 1)
    ).length;
  const failed = groups.length - useful - solved;
  const text = [
    `${percent(useful / groups.length)} of ${
      counted(groups.length, "group")
    } have mixed rewards, which give a learning signal.`,
    ...(useful === groups.length
      ? []
      : [`Of the others, ${solved} are fully solved and ${failed} are not.`]),
    ...(useful * 2 >= groups.length ? [] : failed >= solved
      ? [
        "Most groups give none: use easier tasks, a longer cold start or larger groups.",
      ]
      : ["Most groups give none: use harder tasks."]),
  ];
  return paragraph(text.join(" "));
}

/** Describes a paired difference between two runs, and states whether it could be due to chance. */
export function differenceText(
  { tasks, value, low, high }: Difference,
  [before, after]: readonly [before: string, after: string],
): Rich {
  if (tasks === 0) return paragraph("The two runs have no task in common.");
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
      `${better} earns ${by} more reward per task on the ${
        counted(tasks, "task")
      } that both tried. This may be chance: the interval contains 0.`,
    );
  }
  return paragraph(
    `${better} earns ${by} more reward per task on the ${
      counted(tasks, "task")
    } that both tried. The interval does not contain 0.`,
  );
}

function counted(n: number, word: string): string {
  return `${n.toLocaleString("en-US")} ${word}${n === 1 ? "" : "s"}`;
}

function percent(share: number): string {
  return `${Math.round(100 * share)}%`;
}
