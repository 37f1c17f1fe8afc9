import { ToolError } from "../../../errors.ts";
import { validate } from "../../../python/pydantic.ts";
import { negate } from "../../../python/python_number.ts";
import { stringRepr } from "../../../python/python_repr.ts";
import type { JsonValue } from "../../../python/python_value.ts";
import { numberAt, objectsAt } from "../../../row.ts";
import { editRow } from "../../shared/lookup.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { reservationId } from "../find_rows.ts";
import { Payment } from "../models.ts";

/**
 * Cancels a reservation and appends refunds of all its payments, even if the reservation is already cancelled. Seats
 * and balances do not change.
 */
export const cancelReservation = airlineTool({
  name: "cancel_reservation",
  kind: "write",
  parameters: ["reservation_id"],
  run(database, { reservation_id }) {
    const id = reservationId(database, reservation_id);
    const reservation = editRow(database, "reservations", id);
    rejectSurrogates(reservation);
    const history = objectsAt(reservation, "payment_history");
    history.push(
      ...history.map((payment) =>
        validate(
          Payment,
          new Map<string, JsonValue>(payment)
            .set("amount", negate(numberAt(payment, "amount"))),
        )
      ),
    );
    reservation.set("status", "cancelled");
    return model(reservation);
  },
});

/**
 * Rejects strings that are not valid Unicode, because the original logs the reservation in UTF-8 before it cancels the
 * reservation.
 * @throws {ToolError} If a string in the value has a lone surrogate.
 */
function rejectSurrogates(value: JsonValue): void {
  if (typeof value === "string" && !value.isWellFormed()) {
    throw new ToolError(
      `Error serializing to JSON: UnicodeEncodeError: ${encodingError(value)}`,
    );
  }
  if (Array.isArray(value)) { for (const one of value) rejectSurrogates(one); }
  if (value instanceof Map) {
    for (const [key, member] of value) {
      rejectSurrogates(key);
      rejectSurrogates(member);
    }
  }
}

/** Returns Python's message about the first run of lone surrogates in a string. */
function encodingError(text: string): string {
  const characters = [...text];
  const start = characters.findIndex((one) => !one.isWellFormed());
  const rest = characters.slice(start);
  const length = rest.findIndex((one) => one.isWellFormed());
  const end = start + (length < 0 ? rest.length : length) - 1;
  const which = start === end
    ? `character ${stringRepr(rest[0]!)} in position ${start}`
    : `characters in position ${start}-${end}`;
  return `'utf-8' codec can't encode ${which}: surrogates not allowed`;
}
