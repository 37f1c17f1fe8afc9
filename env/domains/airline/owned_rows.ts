/** Which of the airline's rows belong to whom, and the writes that set a row back. */

import type { RowsPart } from "../../domain.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { ToolAction } from "../../types.ts";
import { PAYMENT_ID } from "../shared/payment.ts";

/** The rows of users, and those that everybody sees. */
export const airlineRows: RowsPart = {
  owned: [{
    table: "reservations",
    argument: "reservation_id",
    noun: "reservation",
    id: /\b[A-Z0-9]{6}\b/g,
  }],
  open: ["flights"],
  ids: [PAYMENT_ID],
  restores: { reservations: restoreReservation },
};

/** Calls that make a reservation what `row` says of it. */
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
