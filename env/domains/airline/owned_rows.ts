/** Defines which of the airline's rows belong to a user, and which writes restore a row to an earlier state. */

import type { RowsPart } from "../../domain.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import type { ToolAction } from "../../types.ts";
import { PAYMENT_ID } from "../shared/payment.ts";

/** The airline's rows that belong to users, and the tables that every user may read. */
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

/** Returns the calls that restore a reservation to the state in `row`. */
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

/** Returns the id of the payment method first used for the reservation, or `null` if it has no payments. */
function paymentOf(row: JsonObject): JsonValue {
  const history = row.get("payment_history");
  const first = Array.isArray(history) ? history[0] : undefined;
  return first instanceof Map ? first.get("payment_id") ?? null : null;
}

function call(name: string, args: readonly [string, JsonValue][]): ToolAction {
  return { name, arguments: new Map(args) };
}
