/**
 * Checks a database's base rows against its domain's schemas, to distinguish invalid data from mistakes of the agent.
 */

import type { z } from "zod";
import type { Database, RowKey, Table } from "./database.ts";
import type { Domain } from "./domain.ts";
import { toPlain } from "./python/python_value.ts";

/** A row that does not match its domain's schema. If `id` is absent, the whole table is missing. */
export type BrokenRow = Pick<RowKey, "table"> & Partial<RowKey>;

/**
 * Returns the first missing table or invalid row of a database's base, or `undefined` if the base matches the domain's
 * schemas. Rows written by calls are not checked, because they may contain any value that the agent sent. The result is
 * cached per base.
 */
export function findBrokenRow(
  domain: Domain,
  database: Database,
): BrokenRow | undefined {
  for (const [table, schema] of domain.rowSchemas) {
    if (!database.tables.includes(table)) return { table };
    const id = database.derive(table, firstMisfit(schema));
    if (id !== undefined) return { table, id };
  }
  return undefined;
}

/**
 * Returns a function that finds the id of the first row that does not match the schema. The function is cached per
 * schema.
 */
function firstMisfit(schema: z.ZodType): (rows: Table) => string | undefined {
  const known = searches.get(schema);
  if (known !== undefined) return known;
  const search = (rows: Table) => {
    for (const [id, row] of rows) {
      if (!schema.safeParse(toPlain(row)).success) return id;
    }
    return undefined;
  };
  searches.set(schema, search);
  return search;
}

const searches = new WeakMap<
  z.ZodType,
  (rows: Table) => string | undefined
>();
