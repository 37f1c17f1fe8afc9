/**
 * Trims a run to a size suitable for the repository. It keeps all metrics and some of the episodes.
 *
 *     deno run --allow-read --allow-write notebooks/lib/trim.ts runs/a1 notebooks/runs/a1
 */

import { join } from "node:path";
import { DatabaseSync, type SQLOutputValue } from "node:sqlite";
import { deflateSync, inflateSync } from "node:zlib";
import { ConfigError } from "../../env/errors.ts";
import { columnSql } from "../../train/runs/episode_facts.ts";
import { readRunInfo } from "../../train/runs/run_reader.ts";
import { TOKENIZER } from "../../train/cpu/run_tokenizer.ts";
import { readTextIfThere } from "../../train/runs/storage.ts";

/** Options for {@linkcode trimRun}, which select the episodes to keep. Groups are either kept as a whole or dropped. */
export interface TrimOptions {
  /** The number of RL steps to keep, spread evenly from the first to the last. Default: 3. */
  readonly steps?: number;
  /** The number of groups to keep per step. Default: 3. */
  readonly groups?: number;
  /** The number of tasks to keep from the last sampled test evaluation, with all their trials. Default: 16. */
  readonly tasks?: number;
}

const SOURCE = columnSql("source");

/** The files that are copied in addition to the episodes. The tokenizer is optional. */
const FILES = ["run.json", "config.yaml", "metrics.jsonl", TOKENIZER];

/** The source of the evaluation that is kept. Its tokens are dropped, since they were not used in training. */
const EVALUATION = "eval/test/sampled";

/**
 * Copies the selected parts of a completed run of the CPU trainer to `to`, which must not exist yet.
 * @throws {ConfigError} If there is no such run, if it is not completed, or if `to` exists.
 */
export async function trimRun(
  from: string,
  to: string,
  options: TrimOptions = {},
): Promise<void> {
  const { outcome } = await readRunInfo(from);
  if (outcome !== "completed") {
    throw new ConfigError(
      `Cannot trim "${from}": its outcome is "${outcome}", not "completed"`,
      { hint: "complete the training first" },
    );
  }
  await requireEmpty(to);
  await Deno.mkdir(to, { recursive: true });
  for (const name of FILES) {
    const text = await readTextIfThere(join(from, name));
    if (text !== undefined) await Deno.writeTextFile(join(to, name), text);
  }
  copyEpisodes(join(from, "episodes.db"), join(to, "episodes.db"), options);
}

async function requireEmpty(path: string): Promise<void> {
  try {
    await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  throw new ConfigError(`"${path}" already exists`, {
    hint: "remove it, or pass another directory",
  });
}

function copyEpisodes(from: string, to: string, options: TrimOptions): void {
  const source = new DatabaseSync(from, { readOnly: true });
  const target = new DatabaseSync(to);
  try {
    // Small pages fit these rows tightly. Without a write-ahead log, the file also opens on read-only file systems.
    target.exec("PRAGMA page_size = 1024; PRAGMA journal_mode = DELETE; BEGIN");
    copyTables(source, target);
    for (const row of keptRows(source, options)) addRow(target, squeezed(row));
    target.exec("COMMIT");
  } finally {
    source.close();
    target.close();
  }
}

function copyTables(from: DatabaseSync, to: DatabaseSync): void {
  const made = from.prepare("SELECT sql FROM sqlite_master WHERE sql NOT NULL");
  for (const { sql } of made.all()) to.exec(String(sql));
  const version = from.prepare("PRAGMA user_version").get();
  to.exec(`PRAGMA user_version = ${Number(version?.["user_version"])}`);
}

type Row = Record<string, SQLOutputValue>;

function keptRows(db: DatabaseSync, options: TrimOptions): Row[] {
  const { steps = 3, groups = 3, tasks = 16 } = options;
  const rows = db.prepare(
    `SELECT *, ${SOURCE} AS source FROM episodes WHERE step = ? AND ${SOURCE} = ? AND group_index < ? ORDER BY id`,
  );
  const last = stepsOf(db, EVALUATION).slice(-1);
  return [
    ...spread(stepsOf(db, "rl"), steps)
      .flatMap((step) => rows.all(step, "rl", groups)),
    ...last.flatMap((step) => rows.all(step, EVALUATION, tasks)),
  ];
}

function addRow(db: DatabaseSync, row: Row): void {
  const columns = Object.keys(row);
  const marks = columns.map(() => "?").join(", ");
  db.prepare(`INSERT INTO episodes (${columns.join(", ")}) VALUES (${marks})`)
    .run(...Object.values(row));
}

/** Compresses the blobs of a row as much as possible, and drops tokens unless they are from an RL episode. */
function squeezed(row: Row): Row {
  const tokens = row["source"] === "rl" ? row["tokens"]! : null;
  const blobs = { messages: row["messages"]!, turns: row["turns"]!, tokens };
  const small = Object.entries(blobs).map(([name, blob]) => [
    name,
    blob instanceof Uint8Array
      ? deflateSync(inflateSync(blob), { level: 9 })
      : null,
  ]);
  return { ...row, ...Object.fromEntries(small) };
}

function stepsOf(db: DatabaseSync, source: string): number[] {
  return db.prepare(
    `SELECT DISTINCT step FROM episodes WHERE ${SOURCE} = ? ORDER BY step`,
  ).all(source).map(({ step }) => Number(step));
}

/** Returns at most `count` of the steps, evenly spaced from the first to the last. */
function spread(steps: readonly number[], count: number): number[] {
  const at = Array.from(
    { length: count },
    (_, i) => Math.round(i * (steps.length - 1) / Math.max(1, count - 1)),
  );
  return [...new Set(at)].flatMap((index) => steps[index] ?? []);
}

if (import.meta.main) {
  const [from, to] = Deno.args;
  if (from === undefined || to === undefined) {
    console.error(
      "Usage: trim.ts FROM TO (a run dir, and the directory of its trimmed copy)",
    );
    Deno.exit(2);
  }
  await trimRun(from, to);
}
