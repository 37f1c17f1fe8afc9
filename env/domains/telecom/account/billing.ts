/** Creates bills and charges. The current date is always 2025-02-25, as in the benchmark. */

import type { Database } from "../../../database.ts";
import { add, compare } from "../../../python/python_number.ts";
import { asNumber } from "../../../python/python_object.ts";
import { validate } from "../../../python/pydantic.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../../python/python_value.ts";
import { nextBillId } from "./bill_ids.ts";
import { Bill, LineItem } from "./account_models.ts";
import { billsOf, edit, find } from "./lookups.ts";

/** The current date in every task. */
export const TODAY = "2025-02-25";

/** The last day of the previous month. */
export const LAST_MONTH_END = "2025-01-31";

/** A charge to add to a bill, with its amount and description. */
export interface Charge {
  readonly description: string;
  readonly amount: PythonNumber;
}

/** Adds a charge to the customer's first draft bill or, if the customer has none, to a new bill for the next month. */
export function chargeOnce(
  database: Database,
  customerId: string,
  charge: Charge,
): void {
  const customer = find(database, "customers", customerId);
  const draft = billsOf(database, customer).find((bill) =>
    bill.get("status") === "Draft"
  );
  const bill = draft !== undefined
    ? edit(database, "bills", draft.get("bill_id") ?? null)
    : openBill(database, {
      bill_id: nextBillId(database),
      customer_id: customerId,
      period_start: "2025-03-01",
      period_end: "2025-03-31",
      issue_date: "2025-03-01",
      due_date: "2025-03-15",
      status: "Draft",
    });
  addCharge(bill, charge);
}

/** Creates an overdue bill for the previous month that contains one charge. */
export function openOverdueBill(
  database: Database,
  { billId, customerId, charge }: {
    readonly billId: JsonValue;
    readonly customerId: JsonValue;
    readonly charge: Charge;
  },
): void {
  const bill = openBill(database, {
    bill_id: billId,
    customer_id: customerId,
    period_start: "2025-01-01",
    period_end: LAST_MONTH_END,
    issue_date: "2025-01-01",
    due_date: "2025-01-15",
    status: "Overdue",
  });
  addCharge(bill, charge);
}

/**
 * Adds a bill to the table of bills and to its customer's row.
 * @returns The new bill, for writing.
 */
function openBill(
  database: Database,
  fields: Readonly<Record<string, JsonValue>>,
): JsonObject {
  const bill = validate(
    Bill,
    new Map<string, JsonValue>([...Object.entries(fields), ["total_due", 0]]),
  );
  const id = String(bill.get("bill_id"));
  database.put("bills", freeKey(database, id), bill);
  const customer = edit(database, "customers", fields["customer_id"] ?? null);
  const owned = customer.get("bill_ids");
  if (Array.isArray(owned)) owned.push(id);
  return bill;
}

/**
 * Returns an unused key for a bill. If several bills share an id, they keep their order, and a lookup by id finds the
 * first bill.
 */
function freeKey(database: Database, id: string): string {
  let key = id;
  for (let n = 2; database.has("bills", key); n++) key = `${id}\0${n}`;
  return key;
}

function addCharge(bill: JsonObject, { description, amount }: Charge): void {
  const item = validate(
    LineItem,
    new Map<string, JsonValue>([
      ["description", description],
      ["amount", amount],
      ["date", TODAY],
      ["item_type", compare(amount, 0) < 0 ? "Credit" : "Charge"],
    ]),
  );
  const items = bill.get("line_items");
  if (Array.isArray(items)) items.push(item);
  bill.set("total_due", add(asNumber(bill.get("total_due") ?? null), amount));
}
