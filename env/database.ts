/**
 * The database of a world: an immutable base that all episodes share, and an overlay per episode.
 *
 * A database is a stack of layers. Only the topmost layer is written to. It contains whole rows: the first write to a
 * row copies the row into it. A fork seals the topmost layer and gives both databases a new, empty layer on top of it.
 * The cost of a fork therefore does not depend on the number of changes, except when many layers are merged. Neither
 * database sees the other's writes.
 */

import { printPythonJson } from "./python/python_json.ts";
import { copyValue, type JsonObject } from "./python/python_value.ts";
import {
  canonicalText,
  pairText,
  sameCanonical,
  sha256,
  sortedKeys,
} from "./state_hash.ts";
import { BaseText } from "./_base_text.ts";
import { sortedJson } from "./python/json_hash.ts";

/** The rows of a table in order, keyed by id. */
export type Table = ReadonlyMap<string, JsonObject>;

/** The table and id of a row. */
export interface RowKey {
  readonly table: string;
  readonly id: string;
}

/** A row in two databases. A side is `undefined` if its database does not contain the row. */
export interface RowPair extends RowKey {
  readonly left: JsonObject | undefined;
  readonly right: JsonObject | undefined;
}

/** The results that {@linkcode Database.derive} caches for a table of a base, keyed by function. */
type Derived = WeakMap<(rows: Table) => unknown, unknown>;

/** Rows that never change, and the results computed from them. */
interface Base {
  readonly tables: ReadonlyMap<string, Table>;
  readonly derived: ReadonlyMap<string, Derived>;
  text: BaseText | undefined;
}

/** Rows that were written between two forks. */
interface Layer {
  readonly rows: Map<string, Map<string, JsonObject>>;
  readonly below: Layer | undefined;
  /** The number of layers above the base, including this one. */
  readonly height: number;
}

/** The maximum number of sealed layers. If there are more, they are merged into one layer, which keeps lookups fast. */
const MAX_HEIGHT = 16;

/** Cached texts of the rows that never change, because they are in the base or in a sealed layer. */
const printed = new WeakMap<JsonObject, string>();
const canonical = new WeakMap<JsonObject, string>();
const sorted = new WeakMap<JsonObject, string>();

/**
 * Creates a database from tables. The database takes ownership of the rows, so do not change them afterwards.
 *
 *     const database = createDatabase(new Map([["users", users], ["orders", orders]]));
 */
export function createDatabase(tables: ReadonlyMap<string, Table>): Database {
  const derived = new Map<string, Derived>();
  for (const name of tables.keys()) derived.set(name, new WeakMap());
  return new Database({ tables, derived, text: undefined }, undefined);
}

/** One episode's view of a world. Created by {@linkcode createDatabase} and {@linkcode Database.fork}. */
export class Database {
  readonly #base: Base;
  #sealed: Layer | undefined;
  /** The rows in this view's topmost layer, the only rows that may be written to. */
  #own: Map<string, Map<string, JsonObject>> | undefined;

  /** Use {@linkcode createDatabase} instead. */
  constructor(base: Base, sealed: Layer | undefined) {
    this.#base = base;
    this.#sealed = sealed;
  }

  /** The names of the tables, in order. */
  get tables(): readonly string[] {
    return [...this.#base.tables.keys()];
  }

  /**
   * Returns a row, which must not be changed, or `undefined` if there is no such row.
   * @throws {RangeError} If there is no such table.
   */
  get(table: string, id: string): JsonObject | undefined {
    return this.#own?.get(table)?.get(id) ?? this.#getSealed(table, id);
  }

  has(table: string, id: string): boolean {
    return this.get(table, id) !== undefined;
  }

  /**
   * Returns this view's own copy of a row, which may be changed until the next fork, or `undefined` if there is no such
   * row. The first call since the last fork copies the row.
   */
  edit(table: string, id: string): JsonObject | undefined {
    const own = this.#own?.get(table)?.get(id);
    if (own !== undefined) return own;
    const row = this.#getSealed(table, id);
    if (row === undefined) return undefined;
    const copy = copyValue(row);
    this.#write(table, id, copy);
    return copy;
  }

  /** Replaces a row, or adds it at the end of its table. The database takes ownership of the row. */
  put(table: string, id: string, row: JsonObject): void {
    this.#baseTable(table);
    this.#write(table, id, row);
  }

  /**
   * Returns the ids of a table's rows: first the base rows in their order, then the added rows in the order in which
   * they were added.
   */
  ids(table: string): Iterable<string> {
    const base = this.#baseTable(table);
    const added = this.written(table).filter((id) => !base.has(id));
    return added.length === 0 ? base.keys() : [...base.keys(), ...added];
  }

  /**
   * Returns the ids of the rows that were written after the base was created, in the order of their first write. A
   * written row may still equal the base row.
   */
  written(table: string): string[] {
    const ids = new Set<string>();
    for (const layer of this.#layers()) {
      for (const id of layer.get(table)?.keys() ?? []) ids.add(id);
    }
    return [...ids];
  }

  /**
   * Returns `build(rows)` for the base's rows of a table, cached per base and function. `build` must be a long-lived
   * function that depends only on these rows, which do not include rows that this view has written.
   */
  derive<T>(table: string, build: (rows: Table) => T): T {
    const rows = this.#baseTable(table);
    const cache = this.#base.derived.get(table);
    if (cache?.has(build)) return cache.get(build) as T;
    const value = build(rows);
    cache?.set(build, value);
    return value;
  }

  /**
   * Returns a row as Python JSON text; `undefined` if there is no such row. The text of a row that can no longer change
   * is cached.
   */
  print(table: string, id: string): string | undefined {
    return this.#textOf(table, id, printed, printPythonJson);
  }

  /**
   * Returns a row's {@linkcode canonicalText}; `undefined` if there is no such row. The text of a row that can no
   * longer change is cached.
   */
  canonical(table: string, id: string): string | undefined {
    return this.#textOf(table, id, canonical, canonicalText);
  }

  /**
   * Returns a row as Python JSON text with sorted keys; `undefined` if there is no such row. The text of a row that can
   * no longer change is cached.
   */
  sortedJson(table: string, id: string): string | undefined {
    return this.#textOf(table, id, sorted, sortedJson);
  }

  /** Creates an independent view of the same state, in O(1) unless layers must be merged. */
  fork(): Database {
    this.#seal();
    return new Database(this.#base, this.#sealed);
  }

  /** Checks whether both databases are views of the same base. */
  sharesBase(other: Database): boolean {
    return other.#base === this.#base;
  }

  /**
   * Returns the keys of the rows whose content differs from the base, ordered by table and then by their first write.
   */
  changes(): RowKey[] {
    return this.diff(new Database(this.#base, undefined)).map((
      { table, id },
    ) => ({ table, id }));
  }

  /**
   * Returns the differences from the base as text. Equal states have equal texts, regardless of how they were reached.
   */
  changesText(): string {
    return this.changes().map(({ table, id }) =>
      `${table}/${id}=${this.canonical(table, id)}`
    ).sort().join("\n");
  }

  /**
   * Returns the rows whose content differs between this view (`left`) and another view (`right`) of the same base.
   * Compares written rows only.
   * @throws {TypeError} If the other view has a different base.
   */
  diff(other: Database): RowPair[] {
    if (!this.sharesBase(other)) {
      throw new TypeError("Cannot compare databases that have different bases");
    }
    const pairs: RowPair[] = [];
    for (const table of this.#base.tables.keys()) {
      const ids = new Set([...this.written(table), ...other.written(table)]);
      for (const id of ids) {
        const [left, right] = [this.get(table, id), other.get(table, id)];
        if (!sameRow(left, right)) pairs.push({ table, id, left, right });
      }
    }
    return pairs;
  }

  /** Computes τ-bench's hash of the state, a lowercase hex SHA-256, in one pass over the state's text. */
  hash(): string {
    const text = this.#base.text ??= new BaseText(
      this.#base.tables,
      (table, id) => new Database(this.#base, undefined).canonical(table, id),
    );
    const changes = new Map(
      this.tables.map((table) => [table, this.#canonicalPairs(table)]),
    );
    return sha256(text.pieces(changes));
  }

  #getSealed(table: string, id: string): JsonObject | undefined {
    for (let layer = this.#sealed; layer !== undefined; layer = layer.below) {
      const row = layer.rows.get(table)?.get(id);
      if (row !== undefined) return row;
    }
    return this.#baseTable(table).get(id);
  }

  #baseTable(table: string): Table {
    const rows = this.#base.tables.get(table);
    if (rows === undefined) {
      throw new RangeError(
        `The database has no table "${table}"; its tables are ${
          this.tables.map((name) => `"${name}"`).join(", ")
        }`,
      );
    }
    return rows;
  }

  #write(table: string, id: string, row: JsonObject): void {
    this.#own ??= new Map();
    const rows = this.#own.get(table);
    if (rows === undefined) this.#own.set(table, new Map([[id, row]]));
    else rows.set(id, row);
  }

  /** Returns the rows of all layers, oldest first. */
  #layers(): Map<string, Map<string, JsonObject>>[] {
    const layers = this.#own === undefined ? [] : [this.#own];
    for (let layer = this.#sealed; layer !== undefined; layer = layer.below) {
      layers.push(layer.rows);
    }
    return layers.reverse();
  }

  /** Turns this view's own rows into a sealed layer. */
  #seal(): void {
    if (this.#own === undefined) return;
    const below = this.#sealed;
    const height = (below?.height ?? 0) + 1;
    this.#sealed = height > MAX_HEIGHT
      ? { rows: merge(this.#layers()), below: undefined, height: 1 }
      : { rows: this.#own, below, height };
    this.#own = undefined;
  }

  #textOf(
    table: string,
    id: string,
    cache: WeakMap<JsonObject, string>,
    make: (row: JsonObject) => string,
  ): string | undefined {
    const own = this.#own?.get(table)?.get(id);
    if (own !== undefined) return make(own);
    const row = this.#getSealed(table, id);
    if (row === undefined) return undefined;
    const kept = cache.get(row);
    if (kept !== undefined) return kept;
    const text = make(row);
    cache.set(row, text);
    return text;
  }

  /** Returns the written rows of a table in Python's key order, each as `('id', row)`, keyed by id. */
  #canonicalPairs(table: string): Map<string, string> {
    return new Map(
      sortedKeys(this.written(table)).map((id) => [
        id,
        pairText(id, this.canonical(table, id) ?? ""),
      ]),
    );
  }
}

function sameRow(
  a: JsonObject | undefined,
  b: JsonObject | undefined,
): boolean {
  return a === undefined || b === undefined ? a === b : sameCanonical(a, b);
}

/** Merges layers into a single layer. Later layers take precedence. */
function merge(
  layers: readonly Map<string, Map<string, JsonObject>>[],
): Map<string, Map<string, JsonObject>> {
  const merged = new Map<string, Map<string, JsonObject>>();
  for (const layer of layers) {
    for (const [table, rows] of layer) {
      const all = merged.get(table) ?? new Map<string, JsonObject>();
      for (const [id, row] of rows) all.set(id, row);
      merged.set(table, all);
    }
  }
  return merged;
}
