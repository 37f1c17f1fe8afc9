import {
  compare,
  isPythonNumber,
  multiply,
  subtract,
} from "../../../python/python_number.ts";
import { operandError } from "../../../python/python_object.ts";
import {
  copyValue,
  type JsonValue,
  type PythonNumber,
} from "../../../python/python_value.ts";
import { numberAt } from "../../../row.ts";
import { editRow } from "../../shared/lookup.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { reservationId } from "../find_rows.ts";
import { payForUpdate } from "../pay_for_update.ts";

const PRICE_OF_A_BAG = 50;

/** Changes the number of bags of a reservation, and charges for additional bags that are not free. */
export const updateReservationBaggages = airlineTool({
  name: "update_reservation_baggages",
  kind: "write",
  parameters: [
    "reservation_id",
    "total_baggages",
    "nonfree_baggages",
    "payment_id",
  ],
  run(database, args) {
    const id = reservationId(database, args.reservation_id);
    const reservation = editRow(database, "reservations", id);
    const price = priceOfMore(
      args.nonfree_baggages,
      numberAt(reservation, "nonfree_baggages"),
    );
    payForUpdate(database, { reservation, paymentId: args.payment_id, price });
    reservation.set("total_baggages", copyValue(args.total_baggages));
    reservation.set("nonfree_baggages", args.nonfree_baggages);
    return model(reservation);
  },
});

/**
 * Returns `50 * max(0, nonfree - before)`.
 * @throws {ToolError} If `nonfree` is not a number.
 */
function priceOfMore(nonfree: JsonValue, before: PythonNumber): PythonNumber {
  if (!isPythonNumber(nonfree)) throw operandError("-", nonfree, before);
  const more = subtract(nonfree, before);
  return compare(more, 0) > 0 ? multiply(PRICE_OF_A_BAG, more) : 0;
}
