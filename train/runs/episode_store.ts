/**
 * `episodes.db`: one row per episode with the columns of episode_columns.ts, indexed by step, task, reward and
 * stop reason. Messages, turns and tokens are compressed blobs. Uses SQLite through `node:sqlite`.
 */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { deflateSync, inflateSync } from "node:zlib";
import { DataError, messageOf, RunDirError } from "../../env/errors.ts";
import {
  Float,
  type JsonValue,
  printPythonJson,
} from "../../env/python/python_json.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import type { Episode } from "../../env/types.ts";
import type { EpisodePlace } from "./episode_columns.ts";
import { type EpisodeTally, tallyEpisodes } from "./episode_tally.ts";
import {
  cellsOf,
  COLUMN_DEFINITIONS,
  columnSql,
  EPISODES_VERSION,
  fieldColumns,
  OLD_VALUES,
  type StoredEpisode,
  storedEpisode,
} from "./episode_facts.ts";

export type { EpisodePlace } from "./episode_columns.ts";
export type { StoredEpisode } from "./episode_facts.ts";

const FACTS = [...COLUMN_DEFINITIONS.keys()];
const BLOBS = ["messages", "turns", "tokens"];

const TABLES = `
CREATE TABLE episodes (
  id INTEGER PRIMARY KEY,
  ${[...COLUMN_DEFINITIONS.values()].join(",\n  ")},
  messages BLOB NOT NULL,
  turns BLOB NOT NULL,
  tokens BLOB
);
CREATE INDEX episodes_by_step ON episodes (step, source);
CREATE INDEX episodes_by_task ON episodes (task_id);
CREATE INDEX episodes_by_reward ON episodes (reward);
CREATE INDEX episodes_by_stop_reason ON episodes (stop_reason);
`;

/** A filter that selects rows. Default: all rows. */
interface RowFilter {
  readonly step?: number;
  readonly source?: string;
  readonly taskId?: string;
}

/** An episode whose row cannot be read. */
export interface DamagedEpisode {
  readonly id: number;
  /** A sentence that names the episode, the damage and the fix. */
  readonly what: string;
}

/** The readable and the damaged episodes of a store. */
export interface ReadableEpisodes {
  readonly episodes: StoredEpisode[];
  readonly damaged: DamagedEpisode[];
}

/** The database of a run's episodes. */
export class EpisodeStore implements Disposable {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #facts: string;

  /**
   * Opens the database at `path`. Unless it is opened read-only, creates a missing file and upgrades an older one.
   * @param options.busyMs The number of milliseconds to wait for another process that is writing. Default: 0.
   * @throws {RunDirError} If the file is not a taulab database, or has a newer version.
   */
  constructor(
    path: string,
    options: { readOnly?: boolean; busyMs?: number } = {},
  ) {
    this.#path = path;
    this.#db = new DatabaseSync(path, {
      readOnly: options.readOnly ?? false,
      timeout: options.busyMs ?? 0,
    });
    try {
      const version = this.#version();
      if (version === 0 && !options.readOnly) this.#createTables();
      else checkVersion(version, path);
      if (version < EPISODES_VERSION && !options.readOnly) this.#upgrade();
      const known = this.#columns();
      this.#facts = ["id", ...FACTS.filter((name) => known.has(name))]
        .map((name) => `${columnSql(name)} AS ${name}`).join(", ");
    } catch (error) {
      this.#db.close();
      if (!/not a database|malformed/.test(String(error))) throw error;
      throw new RunDirError(
        `"${path}" is damaged: it is not a valid SQLite database`,
        { cause: error, hint: "restore it, or start a new run" },
      );
    }
  }

  #version(): number {
    const row = this.#db.prepare("PRAGMA user_version").get();
    return Number(row?.["user_version"] ?? 0);
  }

  #createTables(): void {
    this.#db.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;");
    // Another process may have created the tables in the meantime.
    if (this.#version() === 0) {
      this.#db.exec(`${TABLES} PRAGMA user_version = ${EPISODES_VERSION};`);
    }
    this.#db.exec("COMMIT;");
  }

  /**
   * Upgrades an older file: adds missing columns, which stay empty in the existing rows, and rewrites values whose
   * format has changed.
   */
  #upgrade(): void {
    this.#db.exec("BEGIN IMMEDIATE;");
    const known = this.#columns();
    for (const [name, definition] of COLUMN_DEFINITIONS) {
      if (known.has(name)) continue;
      this.#db.exec(`ALTER TABLE episodes ADD COLUMN ${definition};`);
    }
    for (const [name, sql] of OLD_VALUES) {
      this.#db.exec(
        `UPDATE episodes SET ${name} = ${sql} WHERE ${name} <> ${sql};`,
      );
    }
    this.#db.exec(`PRAGMA user_version = ${EPISODES_VERSION}; COMMIT;`);
  }

  #columns(): ReadonlySet<string> {
    return new Set(
      this.#db.prepare("PRAGMA table_info(episodes)").all()
        .map(({ name }) => String(name)),
    );
  }

  /** Removes the episodes with these ids. */
  remove(ids: readonly number[]): void {
    const remove = this.#db.prepare("DELETE FROM episodes WHERE id = ?");
    for (const id of ids) remove.run(id);
  }

  /** Adds episodes in one transaction. */
  add(items: readonly { episode: Episode; place: EpisodePlace }[]): void {
    const columns = [...FACTS, ...BLOBS];
    const marks = columns.map(() => "?").join(", ");
    const insert = this.#db.prepare(
      `INSERT INTO episodes (${columns.join(", ")}) VALUES (${marks})`,
    );
    this.#db.exec("BEGIN");
    try {
      for (const { episode, place } of items) {
        insert.run(...cellsOf(episode, place), ...blobsOf(episode));
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /**
   * Copies some episodes from another store in one transaction, without decompressing the blobs.
   * @param isWanted Returns whether to copy the episode with the given task and seed.
   */
  copyFrom(
    other: EpisodeStore,
    isWanted: (key: { taskId: string; seed: number }) => boolean,
  ): void {
    const columns = [...FACTS, ...BLOBS];
    const insert = this.#db.prepare(
      `INSERT INTO episodes (${columns.join(", ")}) VALUES (${
        columns.map(() => "?").join(", ")
      })`,
    );
    const rows = other.#db.prepare(
      `SELECT ${columns.join(", ")} FROM episodes ORDER BY id`,
    ).iterate();
    this.#db.exec("BEGIN");
    try {
      for (const row of rows) {
        const key = {
          taskId: String(row["task_id"]),
          seed: Number(row["seed"]),
        };
        if (isWanted(key)) insert.run(...columns.map((name) => row[name]!));
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Keeps only the episodes for whose step and source `keep` returns `true`. */
  prune(keep: (step: number, source: string) => boolean): void {
    const batches = this.#db.prepare(
      "SELECT DISTINCT step, source FROM episodes",
    ).all();
    const remove = this.#db.prepare(
      "DELETE FROM episodes WHERE step = ? AND source = ?",
    );
    for (const { step, source } of batches) {
      if (!keep(Number(step), String(source))) {
        remove.run(Number(step), String(source));
      }
    }
  }

  /**
   * Returns the task and seed of each episode, and whether it failed because of infrastructure. This is much faster
   * than {@linkcode EpisodeStore.list}.
   */
  keys(): { taskId: string; seed: number; isFailed: boolean }[] {
    return this.#db.prepare(
      "SELECT task_id, seed, failure IS NOT NULL AS failed FROM episodes ORDER BY id",
    ).all().map(({ task_id, seed, failed }) => ({
      taskId: String(task_id),
      seed: Number(seed),
      isFailed: failed === 1,
    }));
  }

  /** Counts the episodes of each step and source. */
  counts(): { step: number; source: string; episodes: number }[] {
    return this.#db.prepare(
      "SELECT step, source, COUNT(*) AS episodes FROM episodes GROUP BY step, source",
    ).all().map(({ step, source, episodes }) => ({
      step: Number(step),
      source: String(source),
      episodes: Number(episodes),
    }));
  }

  /** Returns the counts that advisories are based on; `null` if there are no episodes. */
  tally(): EpisodeTally | null {
    const fields = fieldColumns(this.#columns());
    return tallyEpisodes(this.#db, `(SELECT ${fields} FROM episodes)`);
  }

  /**
   * Returns the matching episodes in the order in which they were added, without reading the blobs.
   * @throws {DataError} If a row is damaged.
   */
  list(filter: RowFilter = {}): StoredEpisode[] {
    return this.#rows(filter).map((row) => storedEpisode(row, this.#path));
  }

  /** Returns the matching episodes as {@linkcode EpisodeStore.list} does, but skips and reports damaged rows. */
  readable(filter: RowFilter = {}): ReadableEpisodes {
    const [episodes, damaged]: [StoredEpisode[], DamagedEpisode[]] = [[], []];
    for (const row of this.#rows(filter)) {
      try {
        episodes.push(storedEpisode(row, this.#path));
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        damaged.push({ id: Number(row["id"]), what: messageOf(error) });
      }
    }
    return { episodes, damaged };
  }

  #rows(filter: RowFilter): Record<string, unknown>[] {
    const { source } = filter;
    const wanted: [string, SQLInputValue | undefined][] = [
      ["step", filter.step],
      ["source", source === "grpo" ? "rl" : source],
      ["task_id", filter.taskId],
    ];
    const given = wanted.filter(([, value]) => value !== undefined);
    const where =
      given.map(([column]) => `${columnSql(column)} = ?`).join(" AND ") || "1";
    return this.#db.prepare(
      `SELECT ${this.#facts} FROM episodes WHERE ${where} ORDER BY id`,
    ).all(...given.map(([, value]) => value!));
  }

  /**
   * Returns an episode by its id, without reading the blobs; `undefined` if there is none.
   * @throws {DataError} If its row is damaged.
   */
  get(id: number): StoredEpisode | undefined {
    const row = this.#db.prepare(
      `SELECT ${this.#facts} FROM episodes WHERE id = ?`,
    ).get(id);
    return row === undefined ? undefined : storedEpisode(row, this.#path);
  }

  /**
   * Returns an episode's conversation, and its actions with their observations, as JSON text. Integers and floats
   * are spelled as in Python.
   * @throws {RangeError} If there is no such episode.
   */
  conversation(id: number): { messages: string; turns: string } {
    const row = this.#blobs(id);
    return {
      messages: inflate(row["messages"]).toString("utf8"),
      turns: inflate(row["turns"]).toString("utf8"),
    };
  }

  /**
   * Returns the tokens of an episode; `null` if its model is not token-level.
   * @throws {RangeError} If there is no such episode.
   */
  trajectory(id: number): Trajectory | null {
    const blob = this.#blobs(id)["tokens"];
    return blob === null ? null : unpackTrajectory(inflate(blob));
  }

  /** Closes the database. If no other connection is open, SQLite then merges the write-ahead log into the file. */
  [Symbol.dispose](): void {
    this.#db.close();
  }

  #blobs(id: number): Record<string, unknown> {
    const row = this.#db.prepare(
      "SELECT messages, turns, tokens FROM episodes WHERE id = ?",
    ).get(id);
    if (!row) throw new RangeError(`There is no episode ${id} in this run`);
    return row;
  }
}

function checkVersion(version: number, path: string): void {
  if (version >= 1 && version <= EPISODES_VERSION) return;
  if (version < 1) {
    throw new RunDirError(
      `"${path}" is empty or was not written by taulab`,
      { hint: "choose another run, or restore the file from a backup" },
    );
  }
  throw new RunDirError(
    `"${path}" has schema version ${version}, but this version of taulab supports versions up to ${EPISODES_VERSION}`,
    {
      hint:
        "use the version of taulab that wrote it (run.json has its version and commit)",
    },
  );
}

/** Returns the blobs of the conversation and the tokens, in the order of {@linkcode BLOBS}. */
function blobsOf({ messages, turns, trajectory }: Episode): SQLInputValue[] {
  return [
    deflate(toJson(messages)),
    deflate(toJson(turns)),
    trajectory === null ? null : deflate(packTrajectory(trajectory)),
  ];
}

/**
 * Packs a trajectory: the number of tokens `T` as a 32-bit integer, then, each `[T]`, the token ids as 32-bit integers,
 * the log probabilities as 32-bit floats and the mask as bytes. All are little-endian.
 */
export function packTrajectory(trajectory: Trajectory): Uint8Array {
  const length = trajectory.ids.length;
  const out = new Uint8Array(4 + 9 * length);
  const view = new DataView(out.buffer);
  view.setInt32(0, length, true);
  for (let t = 0; t < length; t++) {
    view.setInt32(4 + 4 * t, trajectory.ids[t]!, true);
    view.setFloat32(4 + 4 * (length + t), trajectory.logprobs[t]!, true);
    out[4 + 8 * length + t] = trajectory.lossMask[t]!;
  }
  return out;
}

/** Unpacks a trajectory that {@linkcode packTrajectory} packed. */
export function unpackTrajectory(data: Uint8Array): Trajectory {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const length = view.getInt32(0, true);
  const at = Array.from({ length }, (_, t) => t);
  return {
    ids: at.map((t) => view.getInt32(4 + 4 * t, true)),
    logprobs: at.map((t) => view.getFloat32(4 + 4 * (length + t), true)),
    lossMask: at.map((t) => data[4 + 8 * length + t] === 1 ? 1 : 0),
  };
}

/**
 * Compresses data at level 1, which is five times as fast as the default level. The result is nearly as small for texts
 * this short.
 */
function deflate(data: string | Uint8Array): Uint8Array {
  return deflateSync(data, { level: 1 });
}

function inflate(blob: unknown) {
  return inflateSync(blob as Uint8Array);
}

/** Serializes plain records that contain Python values, such as a call's arguments. */
function toJson(value: unknown): string {
  if (
    value instanceof Map || value instanceof Float || typeof value === "bigint"
  ) {
    return printPythonJson(value as JsonValue, { ensureAscii: false });
  }
  if (Array.isArray(value)) return `[${value.map(toJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .map(([key, member]) => `${JSON.stringify(key)}:${toJson(member)}`);
  return `{${members.join(",")}}`;
}
