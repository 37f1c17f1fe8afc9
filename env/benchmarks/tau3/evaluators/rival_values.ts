/**
 * Looks up the other possible values of a field. A sentence that mentions several possible values does not state which
 * value applies.
 */

import type { Databases } from "../../../domain.ts";
import type { JsonValue } from "../../../python/python_value.ts";
import { stem } from "./nl_claims.ts";

/**
 * The maximum number of distinct values of a field of alternatives, such as colors. A field with more values is assumed
 * to contain names, ids or texts.
 */
const MAX_VALUES = 40;

/**
 * Finds all fields of alternatives that have a value with the stem `word` in the agent's initial database, and returns
 * the stems of the other values of these fields.
 */
export function rivalsOf(
  word: string,
  { agent }: Databases,
): ReadonlySet<string> {
  const rivals = new Set<string>();
  for (const table of agent.tables) {
    for (const values of agent.derive(table, valuesByField).values()) {
      if (values.size > MAX_VALUES || !values.has(word)) continue;
      for (const value of values) rivals.add(value);
    }
  }
  rivals.delete(word);
  return rivals;
}

function valuesByField(
  rows: ReadonlyMap<string, JsonValue>,
): ReadonlyMap<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const row of rows.values()) collect(row, { field: "", values });
  return values;
}

function collect(
  value: JsonValue,
  { field, values }: {
    readonly field: string;
    readonly values: Map<string, Set<string>>;
  },
): void {
  if (value instanceof Map) {
    for (const [key, member] of value) collect(member, { field: key, values });
  } else if (Array.isArray(value)) {
    for (const element of value) collect(element, { field, values });
  } else if (typeof value === "string" && !value.includes(" ")) {
    const known = values.get(field) ?? new Set();
    if (known.size <= MAX_VALUES) values.set(field, known.add(stem(value)));
  }
}
