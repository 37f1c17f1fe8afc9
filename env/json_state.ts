/** Formats a database as a JSON document. In τ³-bench, the SHA-256 of this document is the hash of the database. */

import { encodeTable, rowPieces } from "./_base_text.ts";
import type { Database, Table } from "./database.ts";
import { sameJson, sortedJson } from "./python/json_hash.ts";
import { compareStrings } from "./python/python_repr.ts";
import { quoteAscii } from "./python/python_json.ts";
import { sha256, sortedKeys } from "./state_hash.ts";

/**
 * The form of each table in the document. `object`: an object of rows keyed by id. `list`: a list of rows. `members`:
 * each row is a member of the document itself.
 */
export type JsonLayout = Readonly<
  Record<string, "object" | "list" | "members">
>;

/** Computes the lowercase hex SHA-256 of the document with sorted keys, in one pass over its text. */
export function jsonStateHash(database: Database, layout: JsonLayout): string {
  return sha256(documentPieces(database, layout));
}

/** Checks whether two databases have the same hash. If they share a base, only written rows are compared. */
export function sameJsonState(
  left: Database,
  right: Database,
  layout: JsonLayout,
): boolean {
  if (!left.sharesBase(right)) {
    return jsonStateHash(left, layout) === jsonStateHash(right, layout);
  }
  return Object.keys(layout).every((table) => {
    const written = new Set([...left.written(table), ...right.written(table)]);
    const areSame = written.values().every((id) => {
      const [one, other] = [left.get(table, id), right.get(table, id)];
      return one !== undefined && other !== undefined && sameJson(one, other);
    });
    return areSame &&
      (layout[table] !== "list" || sameIds(left, right, table));
  });
}

/**
 * Checks whether the ids of a table are in the same order in both databases, since the order of added rows may differ.
 */
function sameIds(left: Database, right: Database, table: string): boolean {
  const [ids, others] = [[...left.ids(table)], [...right.ids(table)]];
  return ids.every((id, i) => id === others[i]);
}

/** A member of the document: its key and the text of its value. */
interface Member {
  readonly key: string;
  pieces(): Iterable<string | Uint8Array>;
}

function* documentPieces(
  database: Database,
  layout: JsonLayout,
): Generator<string | Uint8Array> {
  const members = Object.entries(layout).flatMap(([table, kind]): Member[] =>
    kind === "members"
      ? Array.from(database.ids(table), (id) => ({
        key: id,
        pieces: () => [rowText(database, table, id)],
      }))
      : [{
        key: table,
        pieces: () =>
          kind === "list"
            ? listPieces(database, table)
            : objectPieces(database, table),
      }]
  ).sort((a, b) => compareStrings(a.key, b.key));
  for (const [i, { key, pieces }] of members.entries()) {
    yield `${i === 0 ? "{" : ", "}${quoteAscii(key)}: `;
    yield* pieces();
  }
  yield members.length === 0 ? "{}" : "}";
}

function* listPieces(database: Database, table: string): Generator<string> {
  let before = "[";
  for (const id of database.ids(table)) {
    yield before + rowText(database, table, id);
    before = ", ";
  }
  yield before === "[" ? "[]" : "]";
}

function* objectPieces(
  database: Database,
  table: string,
): Generator<string | Uint8Array> {
  const changes = new Map(
    sortedKeys(database.written(table)).map((id) => [
      id,
      memberText(id, rowText(database, table, id)),
    ]),
  );
  yield "{";
  yield* rowPieces(database.derive(table, encodeObject), changes);
  yield "}";
}

/** Encodes a table of a base; `derive` caches the result with the base. */
function encodeObject(rows: Table) {
  return encodeTable(
    rows.keys(),
    (id) => memberText(id, sortedJson(rows.get(id)!)),
  );
}

function memberText(id: string, row: string): string {
  return `${quoteAscii(id)}: ${row}`;
}

function rowText(database: Database, table: string, id: string): string {
  return database.sortedJson(table, id) ?? "null";
}
