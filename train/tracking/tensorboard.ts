/** The TensorBoard tracker: event files in the directory `tensorboard` of the run dir. */

import { join } from "node:path";
import { formatConfig } from "../config/config.ts";
import { removeIfThere, writeAll } from "../runs/storage.ts";
import { settingsOf } from "./settings.ts";
import {
  hparamsValue,
  scalarValue,
  sessionEndValue,
  summaryEvent,
  textValue,
  tfRecord,
  versionEvent,
} from "./tf_record.ts";
import type {
  OpenTracker,
  Point,
  RunEnd,
  Table,
  TrackedRun,
  Tracker,
} from "./run_tracker.ts";

/** The maximum number of rows of a table in the text dashboard. */
const MAX_ROWS = 100;

/**
 * Creates the TensorBoard tracker. A resumed run rewrites its event files from the journal, without the steps that were
 * dropped.
 */
export function tensorboard(): Tracker {
  return { name: "tensorboard", startsOver: true, open };
}

async function open(run: TrackedRun): Promise<OpenTracker> {
  const dir = join(run.path, "tensorboard");
  await removeIfThere(dir);
  await Deno.mkdir(dir);
  const seconds = Math.floor(run.startedAtMs / 1000);
  const path = join(dir, `events.out.tfevents.${seconds}.taulab`);
  const timeMs = run.startedAtMs;
  const at = { step: 0, timeMs };
  await append(path, [
    versionEvent(timeMs),
    summaryEvent(at, [
      hparamsValue(settingsOf(run.config), run),
      textValue("config", codeBlock(formatConfig(run.config))),
    ]),
  ]);
  return {
    link: `tensorboard --logdir ${dir}`,
    place: {},
    send: (points) => append(path, points.map(pointEvent)),
    end: (end) => append(path, [endEvent(end)]),
  };
}

/**
 * Appends events to a file. The file is opened for each write, so no handle has to be closed. This is fast enough,
 * because steps are seconds apart.
 */
async function append(
  path: string,
  events: readonly Uint8Array[],
): Promise<void> {
  const records = new Blob(events.map(tfRecord));
  const file = await Deno.open(path, { append: true, create: true });
  try {
    await writeAll(file, new Uint8Array(await records.arrayBuffer()));
  } finally {
    file.close();
  }
}

function pointEvent(point: Point): Uint8Array {
  const values = [...point.values]
    .map(([name, value]) => scalarValue(name, value));
  return summaryEvent(point, values);
}

function endEvent(end: RunEnd): Uint8Array {
  const isCompleted = end.outcome === "completed";
  return summaryEvent(end, [
    textValue("episodes", markdownTable(end.episodes)),
    sessionEndValue({ isCompleted, timeMs: end.timeMs }),
  ]);
}

/** Formats text as an indented code block in Markdown. */
function codeBlock(text: string): string {
  return text.trimEnd().split("\n").map((line) => `    ${line}`).join("\n");
}

function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly unknown[]) =>
    `| ${
      cells.map((cell) => String(cell ?? "").replaceAll("|", "\\|")).join(" | ")
    } |`;
  return [
    line(columns),
    line(columns.map(() => "---")),
    ...rows.slice(-MAX_ROWS).map(line),
  ].join("\n");
}
