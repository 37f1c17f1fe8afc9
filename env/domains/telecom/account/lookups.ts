/** Looks up rows in the agent's database, with the original's error messages. */

import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { holdersOf } from "./phone_book.ts";

/**
 * The id field of each table, and the noun for its rows in error messages. The tables are in the order of the
 * original's lists.
 */
export const TABLES = {
  plans: { noun: "Plan", id: "plan_id" },
  customers: { noun: "Customer", id: "customer_id" },
  lines: { noun: "Line", id: "line_id" },
  bills: { noun: "Bill", id: "bill_id" },
  devices: { noun: "Device", id: "device_id" },
} as const;

/** The name of a table in the agent's database. */
export type TableName = keyof typeof TABLES;

/**
 * Returns the read-only row with the given id.
 * @throws {ToolError} If there is no row with this id.
 */
export function find(
  database: Database,
  table: TableName,
  id: JsonValue,
): JsonObject {
  const row = typeof id === "string" ? database.get(table, id) : undefined;
  // Another row with the same id is stored under another key.
  if (row?.get(TABLES[table].id) === id) return row;
  throw new ToolError(
    `${TABLES[table].noun} with ID ${pythonStr(id)} not found`,
  );
}

/**
 * Returns the writable row with the given id.
 * @throws {ToolError} If there is no row with this id.
 */
export function edit(
  database: Database,
  table: TableName,
  id: JsonValue,
): JsonObject {
  const row = find(database, table, id);
  return database.edit(table, String(id)) ?? row;
}

/**
 * Returns a line's id if the line belongs to the customer.
 * @throws {ToolError} If the customer or the line does not exist, or if the line does not belong to the customer.
 */
export function ownLineId(
  database: Database,
  { customer_id, line_id }: {
    readonly customer_id: JsonValue;
    readonly line_id: JsonValue;
  },
): string {
  const customer = find(database, "customers", customer_id);
  const id = ids(customer, "line_ids").find((one) => one === line_id);
  if (id === undefined) {
    throw new ToolError(
      `Line ${pythonStr(line_id)} not found for customer ${
        pythonStr(customer_id)
      }`,
    );
  }
  find(database, "lines", id);
  return id;
}

/**
 * Finds the first customer with the given phone number. The number may be the customer's own number or the number of
 * one of their lines.
 * @throws {ToolError} If there is no such customer, or if a customer's row refers to a line that does not exist.
 */
export function customerByPhone(
  database: Database,
  phone: JsonValue,
): JsonObject {
  for (const id of candidates(database, "customers", phone)) {
    const customer = find(database, "customers", id);
    if (customer.get("phone_number") === phone) return customer;
    for (const lineId of ids(customer, "line_ids")) {
      if (find(database, "lines", lineId).get("phone_number") === phone) {
        return customer;
      }
    }
  }
  throw new ToolError(
    `Customer with phone number ${pythonStr(phone)} not found`,
  );
}

/**
 * Finds the first line with the given phone number.
 * @throws {ToolError} If no line has this phone number.
 */
export function lineByPhone(database: Database, phone: JsonValue): JsonObject {
  for (const id of candidates(database, "lines", phone)) {
    const line = database.get("lines", id);
    if (line?.get("phone_number") === phone) return line;
  }
  throw new ToolError(`Line with phone number ${pythonStr(phone)} not found`);
}

/**
 * Returns the ids of the rows that may have the phone number `phone`: at most one id if `phone` is a string and the
 * phone number index is up to date, and the ids of all rows otherwise.
 */
function candidates(
  database: Database,
  table: "customers" | "lines",
  phone: JsonValue,
): Iterable<string> {
  const holders = typeof phone === "string"
    ? holdersOf(database, phone)
    : undefined;
  if (holders === undefined) return database.ids(table);
  const id = table === "lines" ? holders.line : holders.customer;
  return id === undefined ? [] : [id];
}

/**
 * Returns a customer's bills in the order of their ids in the customer's row.
 * @throws {ToolError} If a bill in the customer's row does not exist.
 */
export function billsOf(
  database: Database,
  customer: JsonObject,
): JsonObject[] {
  return ids(customer, "bill_ids").map((id) => find(database, "bills", id));
}

/**
 * Finds a customer's first bill with the status `Awaiting Payment`, or returns `undefined` if there is none.
 * @throws {ToolError} If a bill in the customer's row does not exist.
 */
export function awaitingPayment(
  database: Database,
  customer: JsonObject,
): JsonObject | undefined {
  return billsOf(database, customer).find((bill) =>
    bill.get("status") === "Awaiting Payment"
  );
}

/** Returns the ids in a row's list field. The result is empty if the field is missing or not a list. */
export function ids(row: JsonObject, field: string): readonly string[] {
  const value = row.get(field);
  return Array.isArray(value)
    ? value.filter((one) => typeof one === "string")
    : [];
}
