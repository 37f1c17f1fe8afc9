/**
 * The database of a world: an immutable base that all episodes share, and an overlay per episode.
 *
 * A database is a stack of layers. Only the topmost is written to, and it holds whole rows: the first write to
 * a row copies it there. A fork seals the topmost layer and puts two empty ones on it, so it costs the same
 * however much has changed, and neither side sees what the other writes.
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

/** The rows of a table by id, in order. */
export type Table = ReadonlyMap<string, JsonObject>;

/** Where a row is. */
export interface RowKey {
  readonly table: string;
  readonly id: string;
}

/** A row as two databases have it; `undefined` where there is none. */
export interface RowPair extends RowKey {
  readonly left: JsonObject | undefined;
  readonly right: JsonObject | undefined;
}

/** What {@linkcode Database.derive} keeps of each table of a base. */
type Derived = WeakMap<(rows: Table) => unknown, unknown>;

/** Rows that never change again, and what has been computed from them. */
interface Base {
  readonly tables: ReadonlyMap<string, Table>;
  readonly derived: ReadonlyMap<string, Derived>;
  text: BaseText | undefined;
}

/** Rows that were written between two forks. */
interface Layer {
  readonly rows: Map<string, Map<string, JsonObject>>;
  readonly below: Layer | undefined;
  /** How many layers lie on the base, this one included. */
  readonly height: number;
}

/** Sealed layers above this many are merged into one, so that a look-up stays short. */
const MAX_HEIGHT = 16;

/** Texts of rows that lie in the base or in sealed layers, and so never change. */
const printed = new WeakMap<JsonObject, string>();
const canonical = new WeakMap<JsonObject, string>();
const sorted = new WeakMap<JsonObject, string>();

/**
 * Makes a database of its tables. The rows are the database's from now on; nobody may change them.
 *
 *     const database = createDatabase(new Map([["users", users], ["orders", orders]]));
 */
export function createDatabase(tables: ReadonlyMap<string, Table>): Database {
  const derived = new Map<string, Derived>();
  for (const name of tables.keys()) derived.set(name, new WeakMap());
  return new Database({ tables, derived, text: undefined }, undefined);
}

/** One episode's view of a world. Made by {@linkcode createDatabase} and {@linkcode Database.fork}. */
export class Database {
  readonly #base: Base;
  #sealed: Layer | undefined;
  /** This view's own rows, the only ones that may be written to. */
  #own: Map<string, Map<string, JsonObject>> | undefined;

  /** Use {@linkcode createDatabase}. */
  constructor(base: Base, sealed: Layer | undefined) {
    this.#base = base;
    this.#sealed = sealed;
  }

  /** Names of the tables, in order. */
  get tables(): readonly string[] {
    return [...this.#base.tables.keys()];
  }

  /** A row as it is now, not to be written to; `undefined` where there is none. @throws {RangeError} Without such a table. */
  get(table: string, id: string): JsonObject | undefined {
    return this.#own?.get(table)?.get(id) ?? this.#getSealed(table, id);
  }

  /** Whether there is such a row. */
  has(table: string, id: string): boolean {
    return this.get(table, id) !== undefined;
  }

  /** This view's own copy of a row, to be written to until the next fork; the first call copies the row. */
  edit(table: string, id: string): JsonObject | undefined {
    const own = this.#own?.get(table)?.get(id);
    if (own !== undefined) return own;
    const row = this.#getSealed(table, id);
    if (row === undefined) return undefined;
    const copy = copyValue(row);
    this.#write(table, id, copy);
    return copy;
  }

  /** Adds a row, at the end of its table, or replaces it whole. The row is the database's from now on. */
  put(table: string, id: string, row: JsonObject): void {
    this.#baseTable(table);
    this.#write(table, id, row);
  }

  /** Ids of a table in order: as loaded, then as added. */
  ids(table: string): Iterable<string> {
    const base = this.#baseTable(table);
    const added = this.written(table).filter((id) => !base.has(id));
    return added.length === 0 ? base.keys() : [...base.keys(), ...added];
  }

  /** Ids of the rows of a table that are not the base's: changed or added, in the order of their first write. */
  written(table: string): string[] {
    const ids = new Set<string>();
    for (const layer of this.#layers()) {
      for (const id of layer.get(table)?.keys() ?? []) ids.add(id);
    }
    return [...ids];
  }

  /**
   * What `build` makes of the base's rows of a table; computed once per base, so `build` has to be a named
   * function that depends on nothing else. Rows that this view has {@linkcode Database.written} are not in it.
   */
  derive<T>(table: string, build: (rows: Table) => T): T {
    const rows = this.#baseTable(table);
    const cache = this.#base.derived.get(table);
    if (cache?.has(build)) return cache.get(build) as T;
    const value = build(rows);
    cache?.set(build, value);
    return value;
  }

  /** A row as Python JSON text; kept for rows that cannot change. */
  print(table: string, id: string): string | undefined {
    return this.#textOf(table, id, printed, printPythonJson);
  }

  /** A row's part of the state's text, see {@linkcode canonicalText}; kept for rows that cannot change. */
  canonical(table: string, id: string): string | undefined {
    return this.#textOf(table, id, canonical, canonicalText);
  }

  /** A row as Python JSON text with sorted keys; kept for rows that cannot change. */
  sortedJson(table: string, id: string): string | undefined {
    return this.#textOf(table, id, sorted, sortedJson);
  }

  /** An independent view of the same state, in O(1). */
  fork(): Database {
    this.#seal();
    return new Database(this.#base, this.#sealed);
  }

  /** Whether both are views of the same base. */
  sharesBase(other: Database): boolean {
    return other.#base === this.#base;
  }

  /** Rows whose content differs from the base's, by table, then in the order of their first write. */
  changes(): RowKey[] {
    return this.diff(new Database(this.#base, undefined)).map((
      { table, id },
    ) => ({ table, id }));
  }

  /** What differs from the base, as a text: the same for the same state, whatever led to it. */
  changesText(): string {
    return this.changes().map(({ table, id }) =>
      `${table}/${id}=${this.canonical(table, id)}`
    ).sort().join("\n");
  }

  /**
   * Rows whose content differs between this view (`left`) and another one (`right`) of the same base. Looks at
   * written rows only.
   * @throws {TypeError} If the other one has another base.
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

  /** τ-bench's hash of the state: lowercase hex SHA-256. Costs one pass of SHA-256 over the state's text. */
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
        `No table "${table}" in the database; it has ${
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

  /** Own rows of all layers, oldest first. */
  #layers(): Map<string, Map<string, JsonObject>>[] {
    const layers = this.#own === undefined ? [] : [this.#own];
    for (let layer = this.#sealed; layer !== undefined; layer = layer.below) {
      layers.push(layer.rows);
    }
    return layers.reverse();
  }

  /** Makes the own rows a layer that nobody writes to. */
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

  /** Written rows of a table in Python's order of keys, each as `('id', row)`. */
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

/** One layer that holds what many hold together; later ones win. */
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
