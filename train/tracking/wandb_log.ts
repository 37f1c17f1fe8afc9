/**
 * W&B's run files (`run-ID.wandb`): protobuf records, framed as in LevelDB's log, with plain CRC-32 checksums.
 *
 * @see wandb `core/pkg/leveldb/record.go` and `wandb/proto/wandb_internal.proto` at 0.31.0.
 */

import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { writeAll } from "../runs/storage.ts";
import { type Field, message } from "./protobuf.ts";
import {
  type WandbRow,
  type WandbRun,
  wandbRuntime,
  type WandbValues,
} from "./wandb_run.ts";

/**
 * The size of a block in bytes. The file is divided into blocks from its beginning. A chunk never crosses the end of a
 * block.
 */
const BLOCK = 32 * 1024;
/** The size of a chunk's header in bytes. */
const CHUNK_HEADER = 7;

/** The types of chunks. A chunk contains a whole record, or the first, a middle or the last part of a record. */
const FULL = 1, FIRST = 2, MIDDLE = 3, LAST = 4;

/** The start of a file: identifier, magic number (little-endian), version. */
const FILE_HEADER = Uint8Array.of(...Buffer.from(":W&B"), 0xe1, 0xbe, 0);

/**
 * Splits a record into chunks.
 * @param offset The position in the file at which the chunks are written, in bytes.
 * @returns The chunks, after zeros if the rest of the block is too short for a chunk.
 */
export function logChunks(
  record: Uint8Array,
  offset: number,
): Uint8Array {
  const room = BLOCK - offset % BLOCK;
  const padding = room < CHUNK_HEADER ? room : 0;
  const parts = [new Uint8Array(padding)];
  let rest = record;
  let most = (padding > 0 ? BLOCK : room) - CHUNK_HEADER;
  for (let isFirst = true;; isFirst = false) {
    const isLast = rest.length <= most;
    parts.push(
      chunk(
        isFirst ? (isLast ? FULL : FIRST) : (isLast ? LAST : MIDDLE),
        rest.subarray(0, most),
      ),
    );
    if (isLast) return Buffer.concat(parts);
    rest = rest.subarray(most);
    most = BLOCK - CHUNK_HEADER;
  }
}

function chunk(type: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(CHUNK_HEADER + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(4, data.length, true);
  bytes[6] = type;
  bytes.set(data, CHUNK_HEADER);
  view.setUint32(0, crc32(bytes.subarray(6)), true);
  return bytes;
}

/** The number of the `Record` field that contains a history row. This field comes first in its record. */
const HISTORY = 2;
const HISTORY_TAG = HISTORY << 3 | 2;

/**
 * Returns the number of rows in a file's history. All records in the file must have been written by this program. A
 * truncated record does not count.
 */
export function countRows(file: Uint8Array): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let rows = 0;
  let tag: number | undefined;
  let at = FILE_HEADER.length;
  while (at + CHUNK_HEADER <= file.length) {
    const room = BLOCK - at % BLOCK;
    if (room < CHUNK_HEADER) {
      at += room;
      continue;
    }
    const type = file[at + 6];
    const start = at + CHUNK_HEADER;
    at = start + view.getUint16(start - 3, true);
    if (at > file.length) break;
    if (type === FULL || type === FIRST) tag = undefined;
    // The first chunk of a record is empty if there is only room for its header.
    if (at > start) tag ??= file[start];
    if (tag === HISTORY_TAG && (type === FULL || type === LAST)) rows++;
  }
  return rows;
}

/** The content of a record, as a field of the message `Record`. */
export type LogRecord = readonly [number, "bytes", Uint8Array];

/** A run file to which records are appended. It is opened for each write, so there is no handle to close. */
export class WandbLog {
  readonly #path: string;
  #size = FILE_HEADER.length;
  #records = 0;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Creates the file with its header. */
  static async create(path: string): Promise<WandbLog> {
    await Deno.writeFile(path, FILE_HEADER, { createNew: true });
    return new WandbLog(path);
  }

  /** Appends records. If a write fails, the next write overwrites the incomplete data. */
  async append(records: readonly LogRecord[]): Promise<void> {
    let size = this.#size;
    const parts = records.map((content, i) => {
      const num = this.#records + i + 1;
      const bytes = logChunks(message(content, [1, "int64", num]), size);
      size += bytes.length;
      return bytes;
    });
    const file = await Deno.open(this.#path, { write: true });
    try {
      await file.truncate(this.#size);
      await file.seek(this.#size, Deno.SeekMode.Start);
      await writeAll(file, Buffer.concat(parts));
    } finally {
      file.close();
    }
    this.#size = size;
    this.#records += records.length;
  }
}

/** Returns the first record of a file. */
export function headerRecord(producer: string): LogRecord {
  return [21, "bytes", message([1, "bytes", message([1, "string", producer])])];
}

/** Returns the record that describes the run. The server chooses the values of missing fields. */
export function runRecord(run: WandbRun): LogRecord {
  const { id, entity, project, group, kind, name, startedAtMs, commit } = run;
  const items = Object.entries(run.config).map(([key, value]) =>
    [1, "bytes", message([1, "string", key], jsonOf(value))] as const
  );
  return [
    17,
    "bytes",
    message(
      [1, "string", id],
      optional(2, entity),
      [3, "string", project],
      [4, "bytes", message(...items)],
      optional(6, group),
      [7, "string", kind],
      [8, "string", name],
      [17, "bytes", timestamp(startedAtMs)],
      commit === null
        ? undefined
        : [21, "bytes", message([2, "string", commit])],
    ),
  ];
}

/** Returns the record that declares the horizontal axis of all curves. */
export function axisRecord(axis: string): LogRecord {
  const options = message([1, "bool", true], [3, "bool", true]); // step_sync, defined
  return [
    12,
    "bytes",
    message([2, "string", "*"], [4, "string", axis], [6, "bytes", options]),
  ];
}

/** Returns the record that adds a row to the history. */
export function historyRecord(row: WandbRow): LogRecord {
  const step = message([1, "int64", row._step]);
  return [HISTORY, "bytes", message(...itemsOf(row), [2, "bytes", step])];
}

/** Returns the record that replaces values of the summary, which lists the newest value of each key. */
export function summaryRecord(values: WandbValues): LogRecord {
  const runtime = item(["_wandb", "runtime"], wandbRuntime(values));
  return [3, "bytes", message(...itemsOf(values), [1, "bytes", runtime])];
}

function itemsOf(values: object) {
  return Object.entries(values).flatMap(([key, value]) =>
    typeof value === "object"
      ? Object.entries(value).map(([part, one]) => item([key, part], one))
      : [item([key], value)]
  ).map((bytes) => [1, "bytes", bytes] as const);
}

function item(path: readonly string[], value: unknown): Uint8Array {
  return message(
    ...path.map((part) => [2, "string", part] as const),
    jsonOf(value),
  );
}

/** Returns the record that declares a file in the run's directory `files`. */
export function fileRecord(path: string): LogRecord {
  return [6, "bytes", message([1, "bytes", message([1, "string", path])])];
}

/** Returns the record that ends the run. */
export function exitRecord(
  { code, seconds }: { readonly code: number; readonly seconds: number },
): LogRecord {
  return [18, "bytes", message([1, "int64", code], [2, "int64", seconds])];
}

function jsonOf(value: unknown): Field {
  return [16, "string", JSON.stringify(value)];
}

function optional(number: number, value: string | null): Field | undefined {
  return value === null ? undefined : [number, "string", value];
}

/** Encodes a `google.protobuf.Timestamp`. */
function timestamp(ms: number): Uint8Array {
  return message(
    [1, "int64", Math.floor(ms / 1000)],
    [2, "int64", Math.floor(ms % 1000) * 1_000_000],
  );
}
