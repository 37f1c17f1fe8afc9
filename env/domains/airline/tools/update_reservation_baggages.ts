import { editRow, findId } from "../../shared/lookup.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import {
  compare,
  isPythonNumber,
  multiply,
  subtract,
} from "../../../python/python_number.ts";
import {
  asNumber,
  member,
  operandError,
} from "../../../python/python_object.ts";
import {
  copyValue,
  type JsonObject,
  type JsonValue,
  type PythonNumber,
} from "../../../python/python_value.ts";
import { defineTool } from "../../../tool.ts";
import { checkCharge, notePrice, takePrice } from "../payment.ts";

const PRICE_OF_A_BAG = 50;

/**
 * Changes the number of bags of a reservation. Additional bags that are not free are charged; removed bags are not
 * refunded.
 */
export const updateReservationBaggages = defineTool({
  name: "update_reservation_baggages",
  parameters: [
    "reservation_id",
    "total_baggages",
    "nonfree_baggages",
    "payment_id",
  ],
  run(database, args) {
    const kind = { table: "reservations", noun: "reservation" };
    const id = findId(database, kind, args.reservation_id);
    const reservation = editRow(database, "reservations", id);
    const price = priceOfMore(args.nonfree_baggages, reservation);
    const charge = { reservation, paymentId: args.payment_id, price };
    checkCharge(database, charge);
    reservation.set("total_baggages", copyValue(args.total_baggages));
    reservation.set("nonfree_baggages", copyValue(args.nonfree_baggages));
    takePrice(database, charge);
    notePrice(charge);
    return printPythonJson(reservation);
  },
});

function priceOfMore(
  nonfree: JsonValue,
  reservation: JsonObject,
): PythonNumber {
  const before = asNumber(member(reservation, "nonfree_baggages"));
  if (!isPythonNumber(nonfree)) throw operandError("-", nonfree, before);
  const more = subtract(nonfree, before);
  return multiply(PRICE_OF_A_BAG, compare(more, 0) > 0 ? more : 0);
}
