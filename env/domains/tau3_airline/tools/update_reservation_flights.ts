import { multiply, subtract } from "../../../python/python_number.ts";
import { isEqual, length, sum } from "../../../python/python_object.ts";
import {
  copyValue,
  type JsonObject,
  type JsonValue,
  type PythonNumber,
} from "../../../python/python_value.ts";
import { objectsAt } from "../../../row.ts";
import { editRow } from "../../shared/lookup.ts";
import { objectList, readObjects } from "../../shared/toolkit/object_list.ts";
import { model } from "../../shared/toolkit/result_text.ts";
import { airlineTool } from "../airline_tool.ts";
import { bookedFlight, priceOf } from "../fares.ts";
import { reservationId } from "../find_rows.ts";
import { FlightInfo } from "../models.ts";
import { payForUpdate } from "../pay_for_update.ts";

/**
 * Changes the flights and cabin of a reservation, and charges the price difference. If the list of flights is empty,
 * any cabin is stored, even an invalid cabin. The origin, destination and available seats do not change.
 */
export const updateReservationFlights = airlineTool({
  name: "update_reservation_flights",
  kind: "write",
  parameters: ["reservation_id", "cabin", "flights", "payment_id"],
  run(database, { reservation_id, cabin, flights, payment_id }) {
    const list = objectList(FlightInfo, flights);
    const id = reservationId(database, reservation_id);
    const reservation = editRow(database, "reservations", id);
    const passengers = reservation.get("passengers")!;
    const booked = readObjects(list, "flight_number").map((leg) =>
      keptFlight(reservation, leg, cabin) ??
        bookedFlight(database, leg, { cabin, passengers })
    );
    const before = objectsAt(reservation, "flights");
    const price = subtract(
      priceForAll(booked, passengers),
      priceForAll(before, passengers),
    );
    payForUpdate(database, { reservation, paymentId: payment_id, price });
    reservation.set("flights", booked);
    reservation.set("cabin", copyValue(cabin));
    return model(reservation);
  },
});

/**
 * Returns a flight at its old price if the reservation already has the flight in the same cabin, and `undefined`
 * otherwise.
 */
function keptFlight(
  reservation: JsonObject,
  leg: JsonObject,
  cabin: JsonValue,
): JsonObject | undefined {
  return objectsAt(reservation, "flights").find((flight) =>
    flight.get("flight_number") === leg.get("flight_number") &&
    flight.get("date") === leg.get("date") &&
    isEqual(cabin, reservation.get("cabin")!)
  );
}

function priceForAll(
  flights: readonly JsonObject[],
  passengers: JsonValue,
): PythonNumber {
  return multiply(sum(flights.map(priceOf)), length(passengers));
}
