/** Whether a database was sound before anybody wrote to it. */

import type { z } from "zod";
import type { Database, RowKey, Table } from "./database.ts";
import type { Domain } from "./domain.ts";
import { toPlain } from "./python/python_value.ts";

/** What a database lacks: a row that its domain's schema takes, or (`id` is `undefined`) a whole table. */
export type BrokenRow = Pick<RowKey, "table"> & Partial<RowKey>;

/**
 * The first row of the base that is not what the domain's schema says. Rows that calls have written do not count: they
 * hold whatever the agent sent. Rows are checked once a base.
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

/** Makes the search for a row that is not of the schema; the same function for the same schema. */
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
