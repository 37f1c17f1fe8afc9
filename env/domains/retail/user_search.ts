/** Looks up users by values other than their id, using an index. */

import type { Database, Table } from "../../database.ts";
import type { JsonObject } from "../../python/python_value.ts";

/**
 * Finds the id of the first user with the given key, or returns `undefined` if there is none.
 * @param keyOf Computes a user's key from the row alone. Must be the same function object in every call, because the
 * index is cached per function and base database.
 */
export function findUser(
  database: Database,
  key: string,
  keyOf: (user: JsonObject) => string,
): string | undefined {
  const written = new Set(database.written("users"));
  const untouched = database.derive("users", indexBy(keyOf)).get(key)
    ?.find((id) => !written.has(id));
  const matches = [...written].filter((id) => {
    const user = database.get("users", id);
    return user !== undefined && keyOf(user) === key;
  });
  if (matches.length === 0) return untouched;
  if (untouched !== undefined) matches.push(untouched);
  if (matches.length === 1) return matches[0];
  for (const id of database.ids("users")) if (matches.includes(id)) return id;
  return undefined;
}

/**
 * Returns the function that indexes users by `keyOf`. Returns the same function object every time for the same `keyOf`.
 */
function indexBy(
  keyOf: (user: JsonObject) => string,
): (users: Table) => Map<string, string[]> {
  const known = indexers.get(keyOf);
  if (known !== undefined) return known;
  const indexer = (users: Table) =>
    Map.groupBy(users.keys(), (id) => keyOf(users.get(id) ?? new Map()));
  indexers.set(keyOf, indexer);
  return indexer;
}

const indexers = new WeakMap<
  (user: JsonObject) => string,
  (users: Table) => Map<string, string[]>
>();
