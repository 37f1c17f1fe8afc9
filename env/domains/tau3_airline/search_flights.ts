/** Searches for flights that can be booked on a given date. */

import type { Database, Table } from "../../database.ts";
import { asKey, isEqual } from "../../python/python_object.ts";
import { compareStrings } from "../../python/python_repr.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { objectAt, textAt } from "../../row.ts";

/** The search criteria; `null` matches any airport. */
export interface Search {
  readonly date: JsonValue;
  readonly origin: JsonValue;
  readonly destination: JsonValue;
  /** The earliest departure, compared as a string. Default: any. */
  readonly leaveAfter?: string;
}

/**
 * Returns the matching flights as shown to the agent, in the table's order.
 * @throws {ToolError} If there are flights between the airports, but the date is not hashable in Python.
 */
export function searchFlights(
  database: Database,
  { date, origin, destination, leaveAfter }: Search,
): JsonObject[] {
  const found: JsonObject[] = [];
  for (const id of departures(database, origin)) {
    const flight = database.get("flights", id)!;
    if (
      destination !== null && !isEqual(flight.get("destination")!, destination)
    ) continue;
    const key = asKey(date);
    const dates = objectAt(flight, "dates");
    if (key === undefined || !dates.has(key)) continue;
    const day = objectAt(dates, key);
    if (textAt(day, "status") !== "available") continue;
    if (leaveAfter === undefined || leavesAfter(flight, leaveAfter)) {
      found.push(shownFlight(flight, day));
    }
  }
  return found;
}

function leavesAfter(flight: JsonObject, time: string): boolean {
  const departure = textAt(flight, "scheduled_departure_time_est");
  return compareStrings(departure, time) >= 0;
}

/** Returns the numbers of the flights from an airport, or of all flights if `origin` is `null`. */
function departures(database: Database, origin: JsonValue): Iterable<string> {
  if (origin === null) return database.ids("flights");
  if (typeof origin !== "string") return [];
  return database.derive("flights", groupByOrigin).get(origin) ?? [];
}

/** Groups flight numbers by origin. Origins never change during an episode. */
function groupByOrigin(flights: Table): Map<string, string[]> {
  return Map.groupBy(
    flights.keys(),
    (id) => textAt(flights.get(id)!, "origin"),
  );
}

function shownFlight(flight: JsonObject, day: JsonObject): JsonObject {
  return new Map<string, JsonValue>([
    ["flight_number", flight.get("flight_number")!],
    ["origin", flight.get("origin")!],
    ["destination", flight.get("destination")!],
    ["status", "available"],
    [
      "scheduled_departure_time_est",
      flight.get("scheduled_departure_time_est")!,
    ],
    ["scheduled_arrival_time_est", flight.get("scheduled_arrival_time_est")!],
    ["date", null],
    ["available_seats", objectAt(day, "available_seats")],
    ["prices", objectAt(day, "prices")],
  ]);
}
