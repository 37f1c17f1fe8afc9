/** Formats the state of trackers for a terminal. */

import type { TrackerReport } from "../train/tracking/outbox.ts";
import type { TrackOptions } from "../train/tracking/run_tracking.ts";
import type { Terminal } from "./_terminal.ts";

/** Returns a callback that prints how to see the run in a tracker: a URL or a command. */
export function linkNote(
  terminal: Terminal,
): NonNullable<TrackOptions["onLink"]> {
  return (name, link) => terminal.note(`${name}: ${link}`);
}

/** Prints whether each tracker has the complete run. */
export function printTrackers(
  trackers: readonly TrackerReport[],
  terminal: Terminal,
): void {
  for (const report of trackers) terminal.print(trackerText(report));
}

/** Describes the state of a tracker, such as `mlflow has the whole run: http://…`, or what is missing and why. */
export function trackerText(
  { name, link, sent, points, failures, failure, isWhole }: TrackerReport,
): string {
  const failed = failures === 0
    ? ""
    : `; failed attempts: ${failures}, last error: ${failure}`;
  if (isWhole) return `${name} has the whole run: ${link}${failed}`;
  return `${name} has ${sent} of ${points} points of the run${failed}; pass --resume RUN --track ${name} to send the rest`;
}

/** Returns the states of the trackers as an object for `--json`; an empty object if there are no trackers. */
export function trackersJson(
  trackers: readonly TrackerReport[],
): Record<string, unknown> {
  return trackers.length === 0 ? {} : { trackers };
}
