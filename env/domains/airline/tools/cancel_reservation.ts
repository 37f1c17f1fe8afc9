import { ToolError } from "../../../errors.ts";
import { editRow, findId } from "../../shared/lookup.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { negate } from "../../../python/python_number.ts";
import {
  asNumber,
  elements,
  member,
  subscript,
} from "../../../python/python_object.ts";
import { defineTool } from "../../../tool.ts";
import { historyOf, payment } from "../payment.ts";

/**
 * The maximum length of a payment history that a cancellation may double. Without this limit, 25 calls would create 30
 * million entries.
 */
const MAX_HISTORY = 65_536;

/**
 * Cancels a reservation and appends the negated amount of each payment to its history. No balance changes, not even the
 * balance of a gift card.
 */
export const cancelReservation = defineTool({
  name: "cancel_reservation",
  parameters: ["reservation_id"],
  run(database, { reservation_id }) {
    const kind = { table: "reservations", noun: "reservation" };
    const id = findId(database, kind, reservation_id);
    const row = editRow(database, "reservations", id);
    const paid = elements(member(row, "payment_history"));
    if (paid.length > MAX_HISTORY) {
      throw new ToolError("the payment history is too long to be refunded");
    }
    const refunds = paid.map((one) =>
      payment(
        subscript(one, "payment_id"),
        negate(asNumber(subscript(one, "amount"))),
      )
    );
    historyOf(row, "extend").push(...refunds);
    return printPythonJson(row.set("status", "cancelled"));
  },
});
