import type { Database } from "../../../database.ts";
import { ToolError } from "../../../errors.ts";
import { editRow, findId } from "../../shared/lookup.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import {
  add,
  compare,
  isPythonNumber,
  multiply,
} from "../../../python/python_number.ts";
import {
  asNumber,
  elements,
  keyError,
  operandError,
  subscript,
  sum,
} from "../../../python/python_object.ts";
import { pythonStr } from "../../../python/python_repr.ts";
import {
  copyValue,
  type JsonObject,
  type JsonValue,
  type PythonNumber,
} from "../../../python/python_value.ts";
import { listAt, objectAt } from "../../../row.ts";
import { type Arguments, defineTool } from "../../../tool.ts";
import { fareOf, forAll, type Party, setFare } from "../flights.ts";
import { holdsLess, paymentMethod, sourceOf, spend } from "../payment.ts";

/** The ids of the first two reservations booked in an episode; all later bookings share a third id. */
const IDS = ["HATHAT", "HATHAU"] as const;
const LAST_ID = "HATHAV";

const PRICE_OF_INSURANCE = 30;
const PRICE_OF_A_BAG = 50;

const PARAMETERS = [
  "user_id",
  "origin",
  "destination",
  "flight_type",
  "cabin",
  "flights",
  "passengers",
  "payment_methods",
  "total_baggages",
  "nonfree_baggages",
  "insurance",
] as const;

type Booking = Arguments<typeof PARAMETERS[number]>;

/** Books flights and charges the payments. The number of available seats does not change. */
export const bookReservation = defineTool({
  name: "book_reservation",
  parameters: PARAMETERS,
  run(database, booking) {
    const users = { table: "users", noun: "user" };
    const userId = findId(database, users, booking.user_id);
    const flights = copyValue(booking.flights);
    const total = totalPrice(database, booking, flights);
    const user = database.get("users", userId) ?? new Map();
    checkPayments(user, booking.payment_methods, total);
    const id = IDS.find((id) => !database.has("reservations", id)) ?? LAST_ID;
    const customer = editRow(database, "users", userId);
    takePayments(customer, booking.payment_methods);
    const reservation = reservationOf(id, booking, flights);
    database.put("reservations", id, reservation);
    listAt(customer, "reservations").push(id);
    return printPythonJson(reservation);
  },
});

/**
 * Writes each flight's fare into its entry in `flights`, and computes the price of the booking.
 * @returns The total price in dollars, including insurance and bags.
 */
function totalPrice(
  database: Database,
  booking: Booking,
  flights: JsonValue,
): PythonNumber {
  const party: Party = booking;
  let total: PythonNumber = 0;
  for (const leg of elements(flights)) {
    const fare = fareOf(database, leg, party);
    setFare(leg, fare);
    total = add(total, forAll(fare.price, party.passengers));
  }
  if (booking.insurance === "yes") {
    total = add(total, forAll(PRICE_OF_INSURANCE, party.passengers));
  }
  return add(total, priceOfBags(booking.nonfree_baggages, total));
}

/**
 * Returns the price of the bags that are not free.
 * @throws {ToolError} If `nonfree` is not a number: in Python, `50 * "a"` is a string, and adding it to `total` fails.
 */
function priceOfBags(nonfree: JsonValue, total: PythonNumber): PythonNumber {
  if (isPythonNumber(nonfree)) return multiply(PRICE_OF_A_BAG, nonfree);
  throw typeof nonfree === "string" || Array.isArray(nonfree)
    ? operandError("+=", total, nonfree)
    : operandError("*", PRICE_OF_A_BAG, nonfree);
}

/**
 * Checks that the user can make all payments, and that they add up to the price.
 * @throws {ToolError} For the first payment that cannot be made, or if the sum differs from the price.
 */
function checkPayments(
  user: JsonObject,
  payments: JsonValue,
  total: PythonNumber,
): void {
  for (const payment of elements(payments)) {
    const { id, amount } = paymentOf(payment);
    const method = paymentMethod(user, id);
    if (method === undefined) {
      throw new ToolError(`payment method ${pythonStr(id)} not found`);
    }
    if (sourceOf(method) !== "credit_card" && holdsLess(method, amount)) {
      throw new ToolError(
        `not enough balance in payment method ${pythonStr(id)}`,
      );
    }
  }
  const paid = sum(
    elements(payments).map((payment) => paymentOf(payment).amount),
  );
  if (compare(paid, total) !== 0) {
    throw new ToolError(
      `payment amount does not add up, total price is ${
        pythonStr(total)
      }, but paid ${pythonStr(paid)}`,
    );
  }
}

/**
 * Charges the payments in order. A payment by certificate uses up the whole certificate.
 * @throws {ToolError} If a certificate is used twice, with the message of Python's `KeyError`. Earlier charges are not
 * rolled back.
 */
function takePayments(user: JsonObject, payments: JsonValue): void {
  for (const { id, amount } of elements(payments).map(paymentOf)) {
    const method = paymentMethod(user, id);
    if (method === undefined) throw keyError(pythonStr(id));
    const source = sourceOf(method);
    if (source === "gift_card") spend(method, asNumber(amount));
    if (source === "certificate") {
      objectAt(user, "payment_methods").delete(pythonStr(id));
    }
  }
}

function paymentOf(payment: JsonValue): { id: JsonValue; amount: JsonValue } {
  return {
    id: subscript(payment, "payment_id"),
    amount: subscript(payment, "amount"),
  };
}

/**
 * Builds a reservation's row. In τ-bench, the row shares its lists with the call, so a later payment also changes the
 * logged call. This implementation copies the lists, because calls, and gold calls in particular, are shared by many
 * episodes.
 */
function reservationOf(
  id: string,
  booking: Booking,
  flights: JsonValue,
): JsonObject {
  return new Map<string, JsonValue>([
    ["reservation_id", id],
    ["user_id", booking.user_id],
    ["origin", copyValue(booking.origin)],
    ["destination", copyValue(booking.destination)],
    ["flight_type", copyValue(booking.flight_type)],
    ["cabin", copyValue(booking.cabin)],
    ["flights", flights],
    ["passengers", copyValue(booking.passengers)],
    ["payment_history", copyValue(booking.payment_methods)],
    ["created_at", "2024-05-15T15:00:00"],
    ["total_baggages", copyValue(booking.total_baggages)],
    ["nonfree_baggages", copyValue(booking.nonfree_baggages)],
    ["insurance", copyValue(booking.insurance)],
  ]);
}
