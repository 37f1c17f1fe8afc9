/**
 * Looks up the current fares of flights, writes them into the legs of reservations, and computes prices for all
 * passengers.
 */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { compare, multiply } from "../../python/python_number.ts";
import {
  asKey,
  asNumber,
  length,
  memberOf,
  subscript,
} from "../../python/python_object.ts";
import { pythonStr } from "../../python/python_repr.ts";
import type {
  JsonObject,
  JsonValue,
  PythonNumber,
} from "../../python/python_value.ts";
import { objectAt, textAt } from "../../row.ts";

/** The passengers of a booking, and their cabin. */
export interface Party {
  readonly cabin: JsonValue;
  readonly passengers: JsonValue;
}

/** The fields that a reservation adds to a booked leg. */
export interface Fare {
  /** The price per passenger, in dollars. */
  readonly price: PythonNumber;
  readonly origin: string;
  readonly destination: string;
}

/**
 * Returns the current fare of a flight.
 * @param leg `{flight_number, date}`, as passed in the call.
 * @throws {ToolError} If the flight does not exist, cannot be booked on that date, or has too few seats, or if an
 * argument is malformed.
 */
export function fareOf(
  database: Database,
  leg: JsonValue,
  { cabin, passengers }: Party,
): Fare {
  const number = subscript(leg, "flight_number");
  const flight = flightNumbered(database, number);
  const date = subscript(leg, "date");
  const day = dayOf(flight, date);
  const place = `flight ${pythonStr(number)}`;
  if (day === undefined) {
    throw new ToolError(`${place} not found on date ${pythonStr(date)}`);
  }
  if (textAt(day, "status") !== "available") {
    throw new ToolError(`${place} not available on date ${pythonStr(date)}`);
  }
  const seats = asNumber(memberOf(objectAt(day, "available_seats"), cabin));
  if (compare(seats, length(passengers)) < 0) {
    throw new ToolError(`not enough seats on ${place}`);
  }
  return {
    price: asNumber(memberOf(objectAt(day, "prices"), cabin)),
    origin: textAt(flight, "origin"),
    destination: textAt(flight, "destination"),
  };
}

/** Writes a fare into a leg. Existing keys keep their positions. Does nothing if the leg is not an object. */
export function setFare(
  leg: JsonValue,
  { price, origin, destination }: Fare,
): void {
  if (!(leg instanceof Map)) return;
  leg.set("price", price).set("origin", origin).set("destination", destination);
}

/** Returns `price` multiplied by the number of passengers. */
export function forAll(
  price: PythonNumber,
  passengers: JsonValue,
): PythonNumber {
  return multiply(price, length(passengers));
}

function flightNumbered(database: Database, number: JsonValue): JsonObject {
  const key = asKey(number);
  const flight = key === undefined ? undefined : database.get("flights", key);
  if (flight !== undefined) return flight;
  throw new ToolError(`flight ${pythonStr(number)} not found`);
}

function dayOf(flight: JsonObject, date: JsonValue): JsonObject | undefined {
  const key = asKey(date);
  const dates = objectAt(flight, "dates");
  return key === undefined || !dates.has(key)
    ? undefined
    : objectAt(dates, key);
}
