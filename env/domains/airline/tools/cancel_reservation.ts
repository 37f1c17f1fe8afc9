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

/** Cancels a reservation: every payment is noted once more, negated. No balance changes, also not of gift cards. */
export const cancelReservation = defineTool({
  name: "cancel_reservation",
  parameters: ["reservation_id"],
  run(database, { reservation_id }) {
    const kind = { table: "reservations", noun: "reservation" };
    const id = findId(database, kind, reservation_id);
    const row = editRow(database, "reservations", id);
    const refunds = elements(member(row, "payment_history")).map((paid) =>
      payment(
        subscript(paid, "payment_id"),
        negate(asNumber(subscript(paid, "amount"))),
      )
    );
    historyOf(row, "extend").push(...refunds);
    return printPythonJson(row.set("status", "cancelled"));
  },
});
