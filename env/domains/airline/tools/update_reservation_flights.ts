import type { Database } from "../../../database.ts";
import { editRow, findId } from "../../shared/lookup.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import { add, multiply, subtract } from "../../../python/python_number.ts";
import {
  asNumber,
  elements,
  isEqual,
  length,
  member,
  subscript,
  sum,
} from "../../../python/python_object.ts";
import {
  copyValue,
  type JsonObject,
  type JsonValue,
  type PythonNumber,
} from "../../../python/python_value.ts";
import { defineTool } from "../../../tool.ts";
import { type Fare, fareOf, forAll, setFare } from "../flights.ts";
import { checkCharge, notePrice, takePrice } from "../payment.ts";

/**
 * Changes the flights of a reservation and charges the price difference. The given cabin determines the prices, but is
 * not stored. The origin and destination of the reservation are not updated either.
 */
export const updateReservationFlights = defineTool({
  name: "update_reservation_flights",
  parameters: ["reservation_id", "cabin", "flights", "payment_id"],
  run(database, args) {
    const kind = { table: "reservations", noun: "reservation" };
    const id = findId(database, kind, args.reservation_id);
    const reservation = editRow(database, "reservations", id);
    const flights = copyValue(args.flights);
    const total = priceFlights(database, reservation, {
      cabin: args.cabin,
      flights,
    });
    const price = subtract(total, paidFor(reservation));
    const charge = { reservation, paymentId: args.payment_id, price };
    checkCharge(database, charge);
    takePrice(database, charge);
    reservation.set("flights", flights);
    notePrice(charge);
    return printPythonJson(reservation);
  },
});

/**
 * Writes each flight's fare into its entry in `flights`, and computes the price of the flights.
 * @returns The total price for all passengers, in dollars.
 */
function priceFlights(
  database: Database,
  reservation: JsonObject,
  { cabin, flights }: { cabin: JsonValue; flights: JsonValue },
): PythonNumber {
  const passengers = member(reservation, "passengers");
  let total: PythonNumber = 0;
  for (const leg of elements(flights)) {
    const fare = keptFare(reservation, leg, cabin) ??
      fareOf(database, leg, { cabin, passengers });
    total = add(total, forAll(fare.price, passengers));
    setFare(leg, fare);
  }
  return total;
}

/**
 * Returns the stored fare of a flight if the reservation already has the flight in the same cabin, and `undefined`
 * otherwise.
 */
function keptFare(
  reservation: JsonObject,
  leg: JsonValue,
  cabin: JsonValue,
): Fare | undefined {
  const kept = elements(member(reservation, "flights")).find((flight) =>
    isEqual(
      subscript(flight, "flight_number"),
      subscript(leg, "flight_number"),
    ) &&
    isEqual(subscript(flight, "date"), subscript(leg, "date")) &&
    isEqual(cabin, member(reservation, "cabin"))
  );
  return kept === undefined ? undefined : {
    price: asNumber(subscript(kept, "price")),
    origin: String(subscript(kept, "origin")),
    destination: String(subscript(kept, "destination")),
  };
}

function paidFor(reservation: JsonObject): PythonNumber {
  const prices = elements(member(reservation, "flights")).map((flight) =>
    subscript(flight, "price")
  );
  return multiply(sum(prices), length(member(reservation, "passengers")));
}
