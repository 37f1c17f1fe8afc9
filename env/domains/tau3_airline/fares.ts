/** Looks up flights at their current prices, in the format in which reservations list them. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { compare } from "../../python/python_number.ts";
import { asNumber, length, memberOf } from "../../python/python_object.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { numberAt, objectAt, textAt } from "../../row.ts";
import { flightDay } from "./find_rows.ts";

/** The passengers of a booking, and their cabin. */
export interface Party {
  readonly cabin: JsonValue;
  /** Any value that has a length in Python. */
  readonly passengers: JsonValue;
}

/**
 * Returns a flight as a reservation lists it, at the current price.
 * @param leg The flight's number and date.
 * @throws {ToolError} If the flight does not exist, cannot be booked on that date, or has too few seats.
 */
export function bookedFlight(
  database: Database,
  leg: JsonObject,
  { cabin, passengers }: Party,
): JsonObject {
  const [number, date] = [textAt(leg, "flight_number"), textAt(leg, "date")];
  const { flight, day } = flightDay(database, number, date);
  if (textAt(day, "status") !== "available") {
    throw new ToolError(`Flight ${number} not available on date ${date}`);
  }
  const seats = asNumber(memberOf(objectAt(day, "available_seats"), cabin));
  if (compare(seats, length(passengers)) < 0) {
    throw new ToolError(`Not enough seats on flight ${number}`);
  }
  return new Map<string, JsonValue>([
    ["flight_number", number],
    ["origin", textAt(flight, "origin")],
    ["destination", textAt(flight, "destination")],
    ["date", date],
    ["price", memberOf(objectAt(day, "prices"), cabin)],
  ]);
}

/** Returns the price of a booked flight per passenger, in dollars. */
export function priceOf(flight: JsonObject): PythonNumber {
  return numberAt(flight, "price");
}
