/** Finding what a call names, in the airline's words where there is none. */

import type { Database } from "../../database.ts";
import { ToolError } from "../../errors.ts";
import { asKey } from "../../python/python_object.ts";
import { pythonStr } from "../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { objectAt } from "../../row.ts";
import { findId } from "../shared/lookup.ts";

/** @throws {ToolError} `User u not found`. */
export function userId(database: Database, id: JsonValue): string {
  return findId(
    database,
    { table: "users", noun: `User ${pythonStr(id)}` },
    id,
  );
}

/** @throws {ToolError} `Reservation r not found`. */
export function reservationId(database: Database, id: JsonValue): string {
  const noun = `Reservation ${pythonStr(id)}`;
  return findId(database, { table: "reservations", noun }, id);
}

/** A flight and what is known of it on a day. */
export interface FlightDay {
  readonly flight: JsonObject;
  readonly day: JsonObject;
}

/** @throws {ToolError} `Flight f not found`, maybe `on date d`. */
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
