/**
 * `episodes.db`: a row an episode, indexed by step, task, reward and stop reason; messages, turns and
 * tokens as compressed blobs. SQLite through `node:sqlite`.
 */

import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { deflateSync, inflateSync } from "node:zlib";
import { RunDirError } from "../../env/errors.ts";
import {
  Float,
  type JsonValue,
  printPythonJson,
} from "../../env/python/python_json.ts";
import type { Trajectory } from "../../env/tokens/trajectory.ts";
import type { Episode, Failure, Reward, UserFinding } from "../../env/types.ts";

/** The version of the tables; a newer one is refused. */
export const EPISODES_VERSION = 2;

/** Where an episode stands in a run, beside what the {@linkcode Episode} itself knows. */
export interface EpisodePlace {
  /** Policy updates before it was sampled, plus one: the step that it belongs to. */
  readonly step: number;
  /** `grpo`, `eval/dev/sampled`, `eval/test/greedy`. */
  readonly source: string;
  /** Which group or task of the step, from 0. */
  readonly group: number;
  /** What multiplied its gradient; `null` where it did not train. */
  readonly advantage: number | null;
}

/** An episode as the store holds it. */
export interface StoredEpisode extends EpisodePlace {
  readonly id: number;
  readonly taskId: string;
  readonly domain: string;
  readonly split: string;
  readonly intent: string | null;
  readonly seed: number;
  readonly agent: string;
  readonly model: string;
  readonly user: string;
  readonly reward: number | null;
  /** Its parts and what is wrong. */
  readonly rewardDetail: Reward | null;
  readonly stopReason: string;
  /** Why the reward is not 1. */
  readonly reason: string | null;
  readonly failure: Failure | null;
  /** `null` in runs of version 1, which did not note it. */
  readonly usage: Episode["usage"] | null;
  readonly findings: readonly UserFinding[] | null;
  readonly retries: number;
  readonly parseErrors: number;
  readonly turns: number;
  /** 0 where its model does not work on tokens. */
  readonly tokens: number;
  readonly startedAtMs: number;
  readonly durationMs: number;
}

const TABLES = `
CREATE TABLE episodes (
  id INTEGER PRIMARY KEY,
  step INTEGER NOT NULL,
  source TEXT NOT NULL,
  group_index INTEGER NOT NULL,
  task_id TEXT NOT NULL,
  domain TEXT NOT NULL,
  split TEXT NOT NULL,
  intent TEXT,
  seed INTEGER NOT NULL,
  agent TEXT NOT NULL,
  model TEXT NOT NULL,
  user TEXT NOT NULL,
  reward REAL,
  reward_detail TEXT,
  advantage REAL,
  stop_reason TEXT NOT NULL,
  reason TEXT,
  failure_kind TEXT,
  failure TEXT,
  retries INTEGER NOT NULL,
  parse_errors INTEGER NOT NULL,
  turn_count INTEGER NOT NULL,
  token_count INTEGER NOT NULL,
  started_at_ms REAL NOT NULL,
  duration_ms REAL NOT NULL,
  usage TEXT,
  findings TEXT,
  messages BLOB NOT NULL,
  turns BLOB NOT NULL,
  tokens BLOB
);
CREATE INDEX episodes_by_step ON episodes (step, source);
CREATE INDEX episodes_by_task ON episodes (task_id);
CREATE INDEX episodes_by_reward ON episodes (reward);
CREATE INDEX episodes_by_stop_reason ON episodes (stop_reason);
`;

const FACTS = [
  "step",
  "source",
  "group_index",
  "task_id",
  "domain",
  "split",
  "intent",
  "seed",
  "agent",
  "model",
  "user",
  "reward",
  "reward_detail",
  "advantage",
  "stop_reason",
  "reason",
  "failure_kind",
  "failure",
  "retries",
  "parse_errors",
  "turn_count",
  "token_count",
  "started_at_ms",
  "duration_ms",
  "usage",
  "findings",
];
/** What version 1 did not have. */
const SINCE_2: readonly string[] = ["reason", "usage", "findings"];
const FACTS_OF_1 = FACTS.map((fact) =>
  SINCE_2.includes(fact) ? `NULL AS ${fact}` : fact
);
const COLUMNS = [...FACTS, "messages", "turns", "tokens"];

/** The episodes of a run. */
export class EpisodeStore implements Disposable {
  readonly #db: DatabaseSync;
  #facts: readonly string[] = FACTS;

  /**
   * Opens `path`, and makes it where it is missing.
   * @param options.busyMs How long to wait for another process that writes. Default: 0.
   * @throws {RunDirError} If the file is no database or of a newer version.
   */
  constructor(
    path: string,
    options: { readOnly?: boolean; busyMs?: number } = {},
  ) {
    this.#db = new DatabaseSync(path, {
      readOnly: options.readOnly ?? false,
      timeout: options.busyMs ?? 0,
    });
    try {
      const version = this.#version();
      if (version === 0 && !options.readOnly) this.#createTables();
      else if (version === 1 && options.readOnly) this.#facts = FACTS_OF_1;
      else if (version === 1) this.#addColumns();
      else checkVersion(version, path);
    } catch (error) {
      this.#db.close();
      if (!/not a database|malformed/.test(String(error))) throw error;
      throw new RunDirError(
        `"${path}" is damaged: it is not an SQLite database`,
        { cause: error, hint: "restore it, or start the run anew" },
      );
    }
  }

  #version(): number {
    const row = this.#db.prepare("PRAGMA user_version").get();
    return Number(row?.["user_version"] ?? 0);
  }

  #createTables(): void {
    this.#db.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE;");
    // Another process may have made them in the meantime.
    if (this.#version() === 0) {
      this.#db.exec(`${TABLES} PRAGMA user_version = ${EPISODES_VERSION};`);
    }
    this.#db.exec("COMMIT;");
  }

  /** Brings version 1 up to date: the columns that it lacks, empty. */
  #addColumns(): void {
    const columns = SINCE_2.map((column) =>
      `ALTER TABLE episodes ADD COLUMN ${column} TEXT;`
    );
    this.#db.exec(
      `BEGIN; ${
        columns.join(" ")
      } PRAGMA user_version = ${EPISODES_VERSION}; COMMIT;`,
    );
  }

  /** Removes episodes by their ids. */
  remove(ids: readonly number[]): void {
    const remove = this.#db.prepare("DELETE FROM episodes WHERE id = ?");
    for (const id of ids) remove.run(id);
  }

  /** Adds episodes in one transaction: all of them or none. */
  add(items: readonly { episode: Episode; place: EpisodePlace }[]): void {
    const marks = COLUMNS.map(() => "?").join(", ");
    const insert = this.#db.prepare(
      `INSERT INTO episodes (${COLUMNS.join(", ")}) VALUES (${marks})`,
    );
    this.#db.exec("BEGIN");
    try {
      for (const { episode, place } of items) {
        insert.run(...rowOf(episode, place));
      }
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Removes the episodes of steps and sources that `keep` refuses. */
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

  /** The episodes that match, in the order in which they were added; blobs stay on disk. */
  list(
    filter: { step?: number; source?: string; taskId?: string } = {},
  ): StoredEpisode[] {
    const wanted: [string, SQLInputValue | undefined][] = [
      ["step", filter.step],
      ["source", filter.source],
      ["task_id", filter.taskId],
    ];
    const given = wanted.filter(([, value]) => value !== undefined);
    const where = given.map(([column]) => `${column} = ?`).join(" AND ") || "1";
    return this.#db.prepare(
      `SELECT id, ${
        this.#facts.join(", ")
      } FROM episodes WHERE ${where} ORDER BY id`,
    ).all(...given.map(([, value]) => value!)).map(fromRow);
  }

  /** An episode by its id, `undefined` where there is none; blobs stay on disk. */
  get(id: number): StoredEpisode | undefined {
    const row = this.#db.prepare(
      `SELECT id, ${this.#facts.join(", ")} FROM episodes WHERE id = ?`,
    ).get(id);
    return row === undefined ? undefined : fromRow(row);
  }

  /**
   * The conversation of an episode, its actions and their observations, as JSON; integers and floats
   * are as Python spells them.
   * @throws {RangeError} If there is no such episode.
   */
  conversation(id: number): { messages: string; turns: string } {
    const row = this.#blobs(id);
    return {
      messages: inflate(row["messages"]).toString("utf8"),
      turns: inflate(row["turns"]).toString("utf8"),
    };
  }

  /** The tokens of an episode; `null` where its model does not work on tokens. */
  trajectory(id: number): Trajectory | null {
    const blob = this.#blobs(id)["tokens"];
    return blob === null ? null : unpackTrajectory(inflate(blob));
  }

  /** Writes everything into the one file and lets go of it. */
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
  if (version === EPISODES_VERSION) return;
  throw new RunDirError(
    `"${path}" has version ${version}, this taulab reads version ${EPISODES_VERSION}`,
    {
      hint:
        "use the taulab that wrote it (see version and commit in its run.json)",
    },
  );
}

function rowOf(episode: Episode, place: EpisodePlace): SQLInputValue[] {
  const { trajectory, reward, failure } = episode;
  return [
    place.step,
    place.source,
    place.group,
    episode.taskId,
    episode.domain,
    episode.split,
    episode.intent,
    episode.seed,
    episode.agent,
    episode.model,
    episode.user,
    reward?.value ?? null,
    reward === null ? null : JSON.stringify(reward),
    place.advantage,
    episode.stopReason,
    episode.reason,
    failure?.kind ?? null,
    failure === null ? null : JSON.stringify(failure),
    episode.retries,
    episode.parseErrors,
    episode.turns.length,
    trajectory?.ids.length ?? 0,
    episode.startedAtMs,
    episode.durationMs,
    JSON.stringify(episode.usage),
    episode.findings === null ? null : JSON.stringify(episode.findings),
    deflate(toJson(episode.messages)),
    deflate(toJson(episode.turns)),
    trajectory === null
      ? null
      : deflateSync(packTrajectory(trajectory), { level: 1 }),
  ];
}

function fromRow(row: Record<string, unknown>): StoredEpisode {
  const text = (key: string) => row[key] === null ? null : String(row[key]);
  const number = (key: string) => row[key] === null ? null : Number(row[key]);
  // Written by this store, and of its version.
  const json = <T>(key: string) =>
    row[key] === null ? null : JSON.parse(String(row[key])) as T;
  return {
    id: Number(row["id"]),
    step: Number(row["step"]),
    source: String(row["source"]),
    group: Number(row["group_index"]),
    advantage: number("advantage"),
    taskId: String(row["task_id"]),
    domain: String(row["domain"]),
    split: String(row["split"]),
    intent: text("intent"),
    seed: Number(row["seed"]),
    agent: String(row["agent"]),
    model: String(row["model"]),
    user: String(row["user"]),
    reward: number("reward"),
    rewardDetail: json("reward_detail"),
    stopReason: String(row["stop_reason"]),
    reason: text("reason"),
    failure: json("failure"),
    usage: json("usage"),
    findings: json("findings"),
    retries: Number(row["retries"]),
    parseErrors: Number(row["parse_errors"]),
    turns: Number(row["turn_count"]),
    tokens: Number(row["token_count"]),
    startedAtMs: Number(row["started_at_ms"]),
    durationMs: Number(row["duration_ms"]),
  };
}

/**
 * `T` as a 32-bit integer, then ids as 32-bit integers, log probabilities as 32-bit floats and the mask
 * as bytes, all little-endian and `[T]`.
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

/** The inverse of {@linkcode packTrajectory}. */
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

/** Level 1: a fifth of the time of the default and nearly as small on such short texts. */
function deflate(text: string): Uint8Array {
  return deflateSync(text, { level: 1 });
}

function inflate(blob: unknown) {
  return inflateSync(blob as Uint8Array);
}

/** JSON of plain records that hold Python values (a call's arguments) somewhere within. */
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
