/**
 * The database of a world: an immutable base that all episodes share, and an overlay per episode.
 *
 * @module
 */

import type { JsonObject } from "./python_json.ts";

/** See env/database.ts; being written. */
export interface Database {
  /** A row as it is now, not to be written to; `undefined` where there is none. */
  get(table: string, id: string): JsonObject | undefined;
  /** This episode's own copy of a row, to be written to; copies the row once. */
  edit(table: string, id: string): JsonObject | undefined;
  /** Adds a row or replaces it whole. */
  put(table: string, id: string, row: JsonObject): void;
  /** Ids of a table in order. */
  ids(table: string): Iterable<string>;
  /** An independent view of the same state, in O(1). */
  fork(): Database;
  /** τ-bench's hash of the state: lowercase hex SHA-256. */
  hash(): string;
}
