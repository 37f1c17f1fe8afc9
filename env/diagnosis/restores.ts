/**
 * The calls that can set a row back to what it should be. Most writes cannot be taken back; these few overwrite
 * what an earlier one wrote.
 */

import type { RowPair } from "../database.ts";
import type { JsonObject, JsonValue } from "../python/python_value.ts";
import type { DomainName, ToolAction } from "../types.ts";

/** A row as it should be, in `left`, and as it is, in `right`. */
type Restores = (row: JsonObject, id: string) => readonly ToolAction[];

/** By domain and table; a table that is not here has no write that overwrites. */
const RESTORES: Readonly<
  Record<DomainName, Readonly<Record<string, Restores>>>
> = {
  retail: { orders: restoreOrder, users: restoreUser },
  airline: { reservations: restoreReservation },
};

/** Calls that could make `right` of a row what `left` is; whether they do is seen by trying. */
export function restoresOf(
  domain: DomainName,
  { table, id, left, right }: RowPair,
): readonly ToolAction[] {
  if (left === undefined || right === undefined) return []; // no tool deletes, and only gold writes add
  return RESTORES[domain][table]?.(left, id) ?? [];
}

function restoreOrder(row: JsonObject, id: string): ToolAction[] {
  const address = row.get("address");
  return address instanceof Map
    ? [call("modify_pending_order_address", [["order_id", id], ...address])]
    : [];
}

function restoreUser(row: JsonObject, id: string): ToolAction[] {
  const address = row.get("address");
  return address instanceof Map
    ? [call("modify_user_address", [["user_id", id], ...address])]
    : [];
}

function restoreReservation(row: JsonObject, id: string): ToolAction[] {
  const of = (...keys: string[]): [string, JsonValue][] =>
    keys.map((key) => [key, row.get(key) ?? null]);
  const who: [string, JsonValue] = ["reservation_id", id];
  const payment: [string, JsonValue] = ["payment_id", paymentOf(row)];
  return [
    call("update_reservation_passengers", [who, ...of("passengers")]),
    call("update_reservation_baggages", [
      who,
      ...of("total_baggages", "nonfree_baggages"),
      payment,
    ]),
    call("update_reservation_flights", [
      who,
      ...of("cabin", "flights"),
      payment,
    ]),
  ];
}

/** A method that the reservation was paid with: the one that a person would name. */
function paymentOf(row: JsonObject): JsonValue {
  const history = row.get("payment_history");
  const first = Array.isArray(history) ? history[0] : undefined;
  return first instanceof Map ? first.get("payment_id") ?? null : null;
}

function call(name: string, args: readonly [string, JsonValue][]): ToolAction {
  return { name, arguments: new Map(args) };
}
