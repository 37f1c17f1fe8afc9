/** What `deno task train` and `deno task evaluate` show of trackers. */

import type { TrackerReport } from "../train/tracking/outbox.ts";
import type { TrackOptions } from "../train/tracking/run_tracking.ts";
import type { Terminal } from "./_terminal.ts";

/** Says where a tracker shows the run, once it does. */
export function linkNote(
  terminal: Terminal,
): NonNullable<TrackOptions["onLink"]> {
  return (name, link) => terminal.note(`${name}: ${link}`);
}

/** Says of each tracker what it has of the run. */
export function printTrackers(
  trackers: readonly TrackerReport[],
  terminal: Terminal,
): void {
  for (const report of trackers) terminal.print(trackerText(report));
}

/** `mlflow has the run: http://…`, or what is missing there, and why. */
export function trackerText(
  { name, link, sent, points, failures, failure, isWhole }: TrackerReport,
): string {
  const failed = failures === 0
    ? ""
    : `; ${failures} attempts failed, the last: ${failure}`;
  if (isWhole) return `${name} has the run: ${link}${failed}`;
  return `${name} has ${sent} of ${points} points of the run${failed}; --resume RUN --track ${name} sends the rest`;
}

/** The trackers for programs; nothing where there are none. */
export function trackersJson(
  trackers: readonly TrackerReport[],
): Record<string, unknown> {
  return trackers.length === 0 ? {} : { trackers };
}
