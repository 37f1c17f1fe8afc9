/**
 * Implements an index of a run's episodes, for sorting, filtering and full-text search. The index consists of a narrow
 * table with the filter fields of all episodes (the facts) and a full-text index. Both are in the temporary database of
 * the SQLite connection, never in the run dir.
 *
 * Both are built in the background, a few milliseconds at a time. For 100,000 episodes, the table of facts takes at
 * most a second and the full-text index about ten seconds. The unfiltered list can be shown before they are complete.
 */

import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { clauseOf, matchOf, orderOf } from "./filter_sql.ts";
import { FILTER_FIELDS } from "../../train/runs/episode_facts.ts";
import {
  type EpisodeTally,
  tallyEpisodes,
} from "../../train/runs/episode_tally.ts";
import type { Query } from "./page/filter.js";
import type {
  EpisodePage,
  EpisodeRow,
  Facets,
  FacetValue,
  Place,
  TaskScore,
  TextProgress,
} from "./protocol.ts";

/** Access to the episodes to index. */
export interface EpisodeFeed {
  /**
   * The connection in which the index is built. Its table or view `temp.all_episodes` must have a column for every
   * filter field, and must be fast to look up by episode id.
   */
  readonly db: DatabaseSync;
  /** Returns the text of an episode, for full-text search. */
  textOf(id: number): string;
}

/** The facets: fields with few distinct values, which the page offers as choices. */
const FACETS = Object.entries(FILTER_FIELDS)
  .flatMap(([name, { choice }]) => choice === undefined ? [] : [name]);

/** Totals over all episodes. `reward` and `pass1` are `null` if no episode has a reward. */
export interface EpisodeCounts {
  readonly episodes: number;
  readonly reward: number | null;
  readonly pass1: number | null;
}

/**
 * The maximum number of id lists to cache. A cached list serves every page of the table and every move to the previous
 * or next episode.
 */
const KEPT_LISTS = 8;

/**
 * The number of rows at the beginning of a list that are fetched without sorting the whole list, so that the page can
 * show them immediately.
 */
const HEAD = 500;

/** The time after which indexing pauses for other work, in milliseconds. */
const SLICE_MS = 12;
/** The number of rows of facts to index at a time. */
const SLICE_ROWS = 2000;

const SQL_TYPES = { number: "REAL", text: "TEXT", list: "TEXT" } as const;

/** The columns of `temp.facts` and `temp.all_episodes`, which are named after the filter fields. */
export const FACT_COLUMNS: readonly string[] = Object.keys(FILTER_FIELDS);

/** The definitions of {@linkcode FACT_COLUMNS} for `CREATE TABLE`. */
export const FACT_DEFINITIONS: string = Object.entries(FILTER_FIELDS)
  .map(([name, { is }]) =>
    name === "id" ? "id INTEGER PRIMARY KEY" : `"${name}" ${SQL_TYPES[is]}`
  ).join(", ");

/** The index of one run. It exists as long as the database connection of its {@linkcode EpisodeFeed} is open. */
export class EpisodeIndex {
  readonly #feed: EpisodeFeed;
  readonly #lists = new Map<string, Int32Array>();
  readonly #heads = new Map<string, { matched: number; ids: number[] }>();
  /** The cached tally, with a key that identifies the state of the index when it was counted. */
  #tally: { key: string; value: EpisodeTally | null } | undefined;
  /** The id of the last episode in the feed. */
  #lastId = 0;
  #total = 0;
  /** The id of the last episode whose facts are indexed. */
  #factId = 0;
  /** The id of the last episode whose text is indexed. */
  #textId = 0;
  #texts = 0;
  #generation = 0;
  #isWorking = false;
  #isOver = false;
  #wake: (() => void)[] = [];

  constructor(feed: EpisodeFeed) {
    this.#feed = feed;
    feed.db.exec(`
      CREATE TEMP TABLE facts (${FACT_DEFINITIONS});
      CREATE TEMP TABLE combinations AS
        SELECT ${FACETS.join(", ")}, 0 AS episodes FROM temp.facts;
      CREATE VIRTUAL TABLE temp.texts USING fts5(
        said, content = '', tokenize = 'unicode61 remove_diacritics 2'
      );
    `);
  }

  /** The number of episodes so far. */
  get total(): number {
    return this.#total;
  }

  /** The id of the last episode so far, or 0 if there is none. */
  get lastId(): number {
    return this.#lastId;
  }

  get text(): TextProgress {
    return { indexed: this.#texts, total: this.#total };
  }

  /**
   * Checks the feed for new episodes, and indexes them in the background. If episodes were removed, indexing starts
   * over.
   */
  refresh(): void {
    const ask = (what: string, ...values: number[]) =>
      Number(
        this.#feed.db.prepare(
          `SELECT ${what.replace("$", "temp.all_episodes")}`,
        )
          .get(...values)?.["value"],
      );
    // The counts use SQLite's indexes, so that the file is not scanned.
    const total = ask("count(*) AS value FROM $");
    const more = this.#lastId === 0
      ? total
      : ask("count(*) AS value FROM $ WHERE id > ?", this.#lastId);
    if (total !== this.#total + more) {
      // Episodes were removed: the run was truncated to an earlier step.
      this.reset();
      return this.refresh();
    }
    this.#total = total;
    this.#lastId = ask("coalesce(max(id), 0) AS value FROM $");
    if (this.#textId < this.#lastId) this.#startWorking();
  }

  /** Discards all indexed data. Call this if the run was truncated and indexed episodes were removed. */
  reset(): void {
    this.#feed.db.exec(
      "DELETE FROM temp.facts; DELETE FROM temp.combinations; INSERT INTO temp.texts (texts) VALUES ('delete-all')",
    );
    this.#lists.clear();
    this.#heads.clear();
    this.#generation++;
    this.#lastId =
      this.#total =
      this.#factId =
      this.#textId =
      this.#texts =
        0;
  }

  /** Returns a page of the list of episodes that a query selects. */
  async page(
    query: Query,
    { offset, limit }: { offset: number; limit: number },
  ): Promise<EpisodePage> {
    const isPlain = query.conditions.length === 0 && query.text === "" &&
      query.sort.field === "id" && !query.sort.descending;
    // The first, unfiltered page does not have to wait for the facts.
    if (isPlain && this.#factId < this.#lastId) {
      const rows = this.#rows("ORDER BY id LIMIT ? OFFSET ?", limit, offset);
      const { total, text } = this;
      return { total, matched: total, offset, rows, text };
    }
    await this.#ready();
    const { matched, ids } = offset + limit <= HEAD
      ? this.#head(query)
      : this.#whole(query);
    const rows = [...ids.slice(offset, offset + limit)]
      .flatMap((id) => this.row(id) ?? []);
    const { total, text } = this;
    return { total, matched, offset, rows, text };
  }

  /** Returns the filter fields of an episode, or `undefined` if it does not exist. */
  row(id: number): EpisodeRow | undefined {
    return this.#rows("WHERE id = ?", id)[0];
  }

  /**
   * Returns the episodes in an episode's group, including the episode itself, in order. With `allSteps`, the group
   * extends across steps, for files in which each trial is a separate step.
   */
  group(
    { step, source, group }: EpisodeRow,
    { allSteps = false }: { readonly allSteps?: boolean } = {},
  ): EpisodeRow[] {
    return this.#rows(
      'WHERE (? OR step = ?) AND source = ? AND "group" = ? ORDER BY id',
      Number(allSteps),
      step,
      source,
      group,
    );
  }

  /** Returns the position of an episode in the list that a query selects. */
  async place(query: Query, id: number): Promise<Place> {
    const ids = await this.ids(query);
    const at = ids.indexOf(id);
    return {
      position: at < 0 ? null : at,
      matched: ids.length,
      previous: at < 0 ? null : ids[at - 1] ?? null,
      next: at < 0 ? null : ids[at + 1] ?? null,
    };
  }

  /** Returns the ids of the episodes that a query selects, in the query's order. */
  async ids(query: Query): Promise<Int32Array> {
    await this.#ready();
    return this.#whole(query).ids;
  }

  /**
   * Returns the number of episodes with each value of each facet. A facet with more than 200 values is reduced to the
   * 200 most frequent ones. Only episodes that meet the query's conditions on the other fields are counted.
   */
  async facets(query: Query): Promise<Facets> {
    await this.#ready();
    const isFacet = (field: string) => FACETS.includes(field);
    const conditions = query.conditions.filter(({ field }) => !isFacet(field));
    const own = query.conditions.filter(({ field }) => isFacet(field));
    // Combinations of facet values are few and counted incrementally; other conditions need a pass over the facts.
    const table = conditions.length === 0 && query.text === ""
      ? "temp.combinations"
      : this.#combine({ ...query, conditions });
    const found = FACETS.map((facet) => {
      const others = clauseOf(own.filter(({ field }) => field !== facet));
      const values = this.#feed.db.prepare(
        `SELECT ${facet} AS value, sum(episodes) AS count FROM ${table} WHERE ${others.where} ` +
          `GROUP BY ${facet} ORDER BY count DESC, value LIMIT 200`,
      ).all(...others.values);
      return [facet, values as unknown as FacetValue[]] as const;
    });
    return Object.fromEntries(found);
  }

  /** Returns totals over all episodes. Each task has the same weight in pass^1. */
  counts(): EpisodeCounts {
    const row = this.#feed.db.prepare(
      `SELECT coalesce(sum(episodes), 0) AS episodes, sum(reward) / sum(scored) AS reward, avg(share) AS pass1
       FROM (
         SELECT count(*) AS episodes, count(reward) AS scored, sum(reward) AS reward,
           avg(CASE WHEN reward IS NULL THEN NULL ELSE reward = 1 END) AS share
         FROM temp.all_episodes GROUP BY task
       )`,
    ).get();
    return { ...row } as unknown as EpisodeCounts;
  }

  /**
   * Returns how often each task was solved. Tasks are in the order of their first episodes. If a source is given, only
   * the episodes of its last step are counted.
   */
  taskScores(source?: string): TaskScore[] {
    const where = source === undefined
      ? ""
      : "WHERE source = ?1 AND step = (SELECT max(step) FROM temp.all_episodes WHERE source = ?1)";
    return this.#feed.db.prepare(
      `SELECT task, coalesce(sum(reward = 1), 0) AS solved, count(reward) AS scored,
         max(step) AS step, group_concat(DISTINCT coalesce(failure, reason)) AS reasons
       FROM temp.all_episodes ${where} GROUP BY task ORDER BY min(id)`,
    ).all(...source === undefined ? [] : [source]) as unknown as TaskScore[];
  }

  /** Returns the counts behind the advisories, or `null` if there are no episodes. */
  async tally(): Promise<EpisodeTally | null> {
    await this.#ready();
    const key = `${this.#generation} ${this.#factId}`;
    if (this.#tally?.key !== key) {
      const value = tallyEpisodes(this.#feed.db, "temp.facts");
      this.#tally = { key, value };
    }
    return this.#tally.value;
  }

  /** Resolves when the texts of all episodes so far are indexed, or indexing has stopped. */
  async indexed(): Promise<void> {
    while (this.#textId < this.#lastId && !this.#isOver) await this.#worked();
  }

  /** Stops indexing in the background. */
  stop(): void {
    this.#isOver = true;
  }

  /** Resolves when the facts of all episodes so far are indexed, or indexing has stopped. */
  async #ready(): Promise<void> {
    while (this.#factId < this.#lastId && !this.#isOver) await this.#worked();
  }

  #rows(
    clause: string,
    ...values: readonly SQLInputValue[]
  ): EpisodeRow[] {
    const statement = this.#feed.db.prepare(
      `SELECT * FROM temp.all_episodes ${clause}`,
    );
    return statement.all(...values) as unknown as EpisodeRow[];
  }

  /**
   * Counts the combinations of facet values among the episodes that a query selects.
   * @returns The name of the table with the counts, which the next call overwrites.
   */
  #combine(query: Query): string {
    const { where, values } = this.#clause(query);
    const { db } = this.#feed;
    db.exec("DROP TABLE IF EXISTS temp.asked_combinations");
    db.prepare(
      `CREATE TEMP TABLE asked_combinations AS SELECT ${
        FACETS.join(", ")
      }, count(*) AS episodes FROM temp.facts WHERE ${where} GROUP BY ${
        FACETS.join(", ")
      }`,
    ).run(...values);
    return "temp.asked_combinations";
  }

  /** Returns the first ids of the list that a query selects, and the length of the list. */
  #head(query: Query): { matched: number; ids: readonly number[] } {
    const key = this.#keyOf(query);
    const whole = this.#lists.get(key);
    if (whole !== undefined) {
      return { matched: whole.length, ids: [...whole.subarray(0, HEAD)] };
    }
    return kept(this.#heads, key, () => {
      const { where, values } = this.#clause(query);
      const { db } = this.#feed;
      const counted = db.prepare(
        `SELECT count(*) AS matched FROM temp.facts WHERE ${where}`,
      ).get(...values);
      const ids = db.prepare(
        `SELECT id FROM temp.facts WHERE ${where} ORDER BY ${
          orderOf(query.sort)
        } LIMIT ${HEAD}`,
      ).all(...values).map(({ id }) => Number(id));
      return { matched: Number(counted?.["matched"]), ids };
    });
  }

  #whole(query: Query): { matched: number; ids: Int32Array } {
    const ids = kept(this.#lists, this.#keyOf(query), () => {
      const { where, values } = this.#clause(query);
      // One text with all ids is read much faster than that many rows.
      const row = this.#feed.db.prepare(
        `SELECT group_concat(id, ',' ORDER BY ${
          orderOf(query.sort)
        }) AS ids FROM temp.facts WHERE ${where}`,
      ).get(...values);
      const text = row?.["ids"];
      return typeof text === "string"
        ? Int32Array.from(text.split(","), Number)
        : new Int32Array();
    });
    return { matched: ids.length, ids };
  }

  /** Returns a cache key that changes whenever the list may have changed. */
  #keyOf(query: Query): string {
    const texts = query.text === "" ? 0 : this.#texts;
    return `${this.#generation} ${this.#factId} ${texts} ${
      JSON.stringify(query)
    }`;
  }

  #clause({ conditions, text }: Query): {
    where: string;
    values: readonly SQLInputValue[];
  } {
    const clause = clauseOf(conditions);
    if (text === "") return clause;
    const match = matchOf(text);
    if (match === "") return { where: "0", values: [] };
    return {
      where:
        `(${clause.where}) AND id IN (SELECT rowid FROM temp.texts WHERE texts MATCH ?)`,
      values: [...clause.values, match],
    };
  }

  /** Resolves after the next slice of indexing. */
  #worked(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #startWorking(): void {
    if (this.#isWorking || this.#isOver) return;
    this.#isWorking = true;
    const work = () => {
      const isLeft = !this.#isOver && this.#workSlice();
      for (const wake of this.#wake.splice(0)) wake();
      if (isLeft) setTimeout(work, 0);
      else this.#isWorking = false;
    };
    setTimeout(work, 0);
  }

  /**
   * Indexes episodes for a few milliseconds.
   * @returns Whether episodes remain to be indexed.
   */
  #workSlice(): boolean {
    const { db } = this.#feed;
    try {
      if (this.#factId < this.#lastId) this.#takeFacts();
      else this.#takeTexts();
    } catch {
      // The run is gone or damaged; the next request reports it.
      if (db.isOpen && db.isTransaction) db.exec("ROLLBACK");
      this.#isOver = true;
    }
    return !this.#isOver && this.#textId < this.#lastId;
  }

  #takeFacts(): void {
    const { db } = this.#feed;
    const names = FACT_COLUMNS.map((name) => `"${name}"`).join(", ");
    const facets = FACETS.join(", ");
    db.prepare(
      `INSERT INTO temp.facts (${names}) SELECT ${names} FROM temp.all_episodes
       WHERE id > ? AND id <= ? ORDER BY id LIMIT ${SLICE_ROWS}`,
    ).run(this.#factId, this.#lastId);
    const row = db.prepare("SELECT max(id) AS last FROM temp.facts").get();
    const last = Number(row?.["last"]);
    db.prepare(
      `INSERT INTO temp.combinations SELECT ${facets}, count(*) FROM temp.facts
       WHERE id > ? AND id <= ? GROUP BY ${facets}`,
    ).run(this.#factId, last);
    // Rows may have been removed meanwhile; the next refresh notices.
    this.#factId = last > this.#factId ? last : this.#lastId;
  }

  #takeTexts(): void {
    const { db } = this.#feed;
    const ids = db.prepare(
      "SELECT id FROM temp.facts WHERE id > ? ORDER BY id LIMIT 500",
    ).all(this.#textId).map(({ id }) => Number(id));
    const insert = db.prepare(
      "INSERT INTO temp.texts (rowid, said) VALUES (?, ?)",
    );
    const until = performance.now() + SLICE_MS;
    db.exec("BEGIN");
    for (const id of ids) {
      insert.run(id, this.#feed.textOf(id));
      this.#textId = id;
      this.#texts++;
      if (performance.now() > until) break;
    }
    db.exec("COMMIT");
    if (ids.length === 0) this.#textId = this.#lastId;
  }
}

/** Returns a value from a small cache, or creates and caches it. The least recently used value is evicted. */
function kept<T>(cache: Map<string, T>, key: string, make: () => T): T {
  const value = cache.get(key) ?? make();
  cache.delete(key);
  cache.set(key, value);
  for (const old of [...cache.keys()].slice(0, -KEPT_LISTS)) cache.delete(old);
  return value;
}
