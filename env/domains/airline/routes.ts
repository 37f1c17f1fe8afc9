/** An index of flights by route. It is built once per base database, because flights never change during an episode. */

import type { Database, Table } from "../../database.ts";
import type { JsonObject, JsonValue } from "../../python/python_value.ts";
import { objectAt, textAt } from "../../row.ts";

/** Flights grouped by origin and by route, in the order of the table. */
export interface Routes {
  readonly from: ReadonlyMap<string, readonly JsonObject[]>;
  readonly between: ReadonlyMap<string, readonly JsonObject[]>;
}

/** Returns the index of a database's flights by route. */
export function routesOf(database: Database): Routes {
  return database.derive("flights", indexFlights);
}

/** Returns the flights from one airport to another. The list is empty if `origin` or `destination` is not a string. */
export function flightsBetween(
  routes: Routes,
  origin: JsonValue,
  destination: JsonValue,
): readonly JsonObject[] {
  if (typeof origin !== "string" || typeof destination !== "string") return [];
  return routes.between.get(routeKey(origin, destination)) ?? [];
}

/** Returns a flight's entry for a date, or `undefined` if it cannot be booked on that date. */
export function bookableDay(
  flight: JsonObject,
  date: string | undefined,
): JsonObject | undefined {
  const dates = objectAt(flight, "dates");
  if (date === undefined || !dates.has(date)) return undefined;
  const day = objectAt(dates, date);
  return textAt(day, "status") === "available" ? day : undefined;
}

/**
 * Returns a flight for one date as searches show it: the flight's fields without `dates`, then the fields of that date.
 */
export function shown(flight: JsonObject, day: JsonObject): JsonObject {
  const result: JsonObject = new Map(flight);
  result.delete("dates");
  for (const [key, value] of day) result.set(key, value);
  return result;
}

function indexFlights(rows: Table): Routes {
  const flights = [...rows.values()];
  return {
    from: Map.groupBy(flights, (flight) => textAt(flight, "origin")),
    between: Map.groupBy(
      flights,
      (flight) =>
        routeKey(textAt(flight, "origin"), textAt(flight, "destination")),
    ),
  };
}

function routeKey(origin: string, destination: string): string {
  return JSON.stringify([origin, destination]);
}
