/** The data of a run that W&B shows, offline and online: its description, the rows of its history, and its table. */

import { sha256 } from "../../env/state_hash.ts";
import type { Point, RunEnd, Table, TrackedRun } from "./run_tracker.ts";
import type { TrackingConfig } from "./tracking_schema.ts";

/** The description of a run. */
export interface WandbRun extends TrackedRun {
  /** The run's ID, unique in its project. */
  readonly id: string;
  /** The user or team that owns the run; `null` for the default of the API key. */
  readonly entity: string | null;
  readonly group: string | null;
}

/**
 * Returns a function that describes a run. The description contains the run's ID: the ID of an earlier session, or a
 * new ID. All calls use the same new ID, because opening the run may be retried.
 */
export function wandbRuns(
  { wandbEntity, wandbGroup }: TrackingConfig,
): (
  run: TrackedRun,
  before: Readonly<Record<string, string>> | undefined,
) => WandbRun {
  const id = newId();
  return (run, before) => ({
    ...run,
    config: { ...run.config, taulab_version: run.version },
    id: before?.["runId"] ?? id,
    entity: wandbEntity,
    group: wandbGroup,
  });
}

/** Returns a random ID of eight characters (40 bits), from the digits and lowercase letters that W&B allows. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => (byte & 31).toString(32)).join("");
}

/**
 * The horizontal axis of the curves: a key of each row. W&B's own axis, `_step`, must increase with each row, but two
 * points may have the same step.
 */
export const WANDB_AXIS = "step";

/** The values keyed by name, including the keys that W&B's own client adds. */
export interface WandbValues {
  /** The number of seconds since the start of the run. */
  readonly _runtime: number;
  /** The time of the row, in seconds since 1970. */
  readonly _timestamp: number;
  readonly [key: string]: number | TableEntry;
}

/** A row of the history: the values of a point. */
export interface WandbRow extends WandbValues {
  /** The index of the row in the history, which is also the point's index in the run. */
  readonly _step: number;
}

/**
 * Returns the duration that W&B lists for a run, in whole seconds. It is stored as `_wandb.runtime` in the run's
 * summary.
 */
export function wandbRuntime({ _runtime }: WandbValues): number {
  return Math.round(_runtime);
}

/** Returns the row for a point. */
export function pointRow(
  { step, timeMs, values }: Point,
  { run, index }: { readonly run: WandbRun; readonly index: number },
): WandbRow {
  return {
    ...Object.fromEntries(values),
    [WANDB_AXIS]: step,
    ...timesOf(timeMs, run),
    _step: index,
  };
}

function timesOf(timeMs: number, { startedAtMs }: WandbRun) {
  return {
    _runtime: Math.max(0, timeMs - startedAtMs) / 1000,
    _timestamp: timeMs / 1000,
  };
}

/** A table in the format that W&B's client uses for a `wandb.Table`. */
interface TableEntry {
  readonly _type: "table-file";
  /** The path of the table's file, below the run's directory `files`. */
  readonly path: string;
  readonly sha256: string;
  /** The size of the file in bytes. */
  readonly size: number;
  readonly ncols: number;
  readonly nrows: number;
  readonly log_mode: "IMMUTABLE";
}

/**
 * The data that ends a session: the exit status, and the table of episodes as a file and as a value of the summary. The
 * table is not a row of the history, so each row still corresponds to a point.
 */
export interface WandbEnd {
  readonly values: WandbValues;
  /** The path of the table's file, below the run's directory `files`. */
  readonly path: string;
  /** The contents of the table's file. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly exitCode: number;
}

/**
 * Describes the end of a session.
 * @param place.index The number of rows.
 */
export function wandbEnd(
  { outcome, timeMs, episodes }: RunEnd,
  { run, index }: { readonly run: WandbRun; readonly index: number },
): WandbEnd {
  const data = tableData(episodes);
  const hash = sha256([data]);
  const name = `episodes_${index}_${hash.slice(0, 20)}.table.json`;
  const path = `media/table/${name}`;
  const entry: TableEntry = {
    _type: "table-file",
    path,
    sha256: hash,
    size: data.length,
    ncols: episodes.columns.length,
    nrows: episodes.rows.length,
    log_mode: "IMMUTABLE",
  };
  return {
    values: { episodes: entry, ...timesOf(timeMs, run) },
    path,
    data,
    exitCode: EXIT_CODES[outcome],
  };
}

function tableData({ columns, rows }: Table): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({ columns, data: rows }));
}

/** The exit status for each outcome. W&B's client exits with 255 after Ctrl-C. */
const EXIT_CODES: Readonly<Record<RunEnd["outcome"], number>> = {
  completed: 0,
  failed: 1,
  interrupted: 255,
};
