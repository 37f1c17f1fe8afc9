/**
 * Indexes phone numbers. Every tool call is followed by up to two lookups by phone number. Without the index, these
 * would be full scans.
 */

import type { Database, Table } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { texts } from "../../shared/read_row.ts";

/** An index of phone numbers. */
interface PhoneBook {
  /** The base table of lines from which the index was built. */
  readonly lines: Table;
  /** The id of the first line with each phone number. */
  readonly lineOf: ReadonlyMap<string, string>;
  /** The id of the first customer to whom each phone number belongs, directly or through a line. */
  readonly customerOf: ReadonlyMap<string, string>;
}

/**
 * The phone number indexes, keyed by the base table of customers. The value is `undefined` if the table cannot be
 * indexed, because a row has a wrong id or refers to a missing row.
 */
const books = new WeakMap<Table, PhoneBook | undefined>();

/**
 * Returns the ids of the first line and the first customer with the given phone number, if any. Returns `undefined` if
 * a scan is required because the table cannot be indexed, or because a number, an id or a customer's list of lines has
 * changed.
 */
export function holdersOf(
  database: Database,
  phone: string,
): { readonly line?: string; readonly customer?: string } | undefined {
  const lines = database.derive("lines", baseRows);
  const customers = database.derive("customers", baseRows);
  if (!books.has(customers) || books.get(customers)?.lines !== lines) {
    books.set(customers, readBook(lines, customers));
  }
  const book = books.get(customers);
  const isCurrent = book !== undefined &&
    keepsNumbers(database, "lines", lines) &&
    keepsNumbers(database, "customers", customers);
  if (!isCurrent) return undefined;
  const [line, customer] = [book.lineOf, book.customerOf].map((ids) =>
    ids.get(phone)
  );
  return {
    ...(line === undefined ? {} : { line }),
    ...(customer === undefined ? {} : { customer }),
  };
}

function baseRows(rows: Table): Table {
  return rows;
}

function readBook(lines: Table, customers: Table): PhoneBook | undefined {
  const lineOf = new Map<string, string>();
  const customerOf = new Map<string, string>();
  const enter = (to: Map<string, string>, row: JsonObject, id: string) => {
    const phone = row.get("phone_number");
    if (typeof phone === "string" && !to.has(phone)) to.set(phone, id);
  };
  for (const [id, line] of lines) enter(lineOf, line, id);
  for (const [id, customer] of customers) {
    if (customer.get("customer_id") !== id) return undefined;
    enter(customerOf, customer, id);
    for (const lineId of texts(customer, "line_ids")) {
      const line = lines.get(lineId);
      if (line?.get("line_id") !== lineId) return undefined;
      enter(customerOf, line, id);
    }
  }
  return { lines, lineOf, customerOf };
}

/** Checks whether every written row still has the same phone number, id and lines as in the base table `rows`. */
function keepsNumbers(
  database: Database,
  table: string,
  rows: Table,
): boolean {
  return database.written(table).every((id) => {
    const [before, now] = [rows.get(id), database.get(table, id)];
    return numbersOf(before) === numbersOf(now);
  });
}

function numbersOf(row: JsonObject | undefined): string | undefined {
  return row && JSON.stringify([
    row.get("phone_number") ?? null,
    row.get("line_id") ?? row.get("customer_id") ?? null,
    texts(row, "line_ids"),
  ]);
}
