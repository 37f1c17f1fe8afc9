/** Looks up the rows that a call refers to, with τ³-bench's error messages. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { asKey } from "../../python/python_object.ts";
import { pythonStr } from "../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { objectAt } from "../../row.ts";
import { findId } from "../shared/lookup.ts";

/**
 * Returns the id if the user exists.
 * @throws {ToolError} If the user does not exist: `User u not found`.
 */
export function userId(database: Database, id: JsonValue): string {
  return findId(
    database,
    { table: "users", noun: `User ${pythonStr(id)}` },
    id,
  );
}

/**
 * Returns the id if the reservation exists.
 * @throws {ToolError} If the reservation does not exist: `Reservation r not found`.
 */
export function reservationId(database: Database, id: JsonValue): string {
  const noun = `Reservation ${pythonStr(id)}`;
  return findId(database, { table: "reservations", noun }, id);
}

/** A flight and its entry for one date. */
export interface FlightDay {
  readonly flight: JsonObject;
  readonly day: JsonObject;
}

/**
 * Returns a flight and its entry for a date.
 * @throws {ToolError} If there is no such flight or entry: `Flight f not found`, or `Flight f not found on date d`.
 */
export function flightDay(
  database: Database,
  number: JsonValue,
  date: JsonValue,
): FlightDay {
  const noun = `Flight ${pythonStr(number)}`;
  const id = findId(database, { table: "flights", noun }, number);
  const flight = database.get("flights", id)!;
  const dates = objectAt(flight, "dates");
  const key = asKey(date);
  if (key !== undefined && dates.has(key)) {
    return { flight, day: objectAt(dates, key) };
  }
  throw new ToolError(`${noun} not found on date ${pythonStr(date)}`);
}
