/** Builds a database that contains only the rows that the tools have shown in a conversation. */

import type { Desk, MadeCall } from "../../../agents/desk.ts";
import { createDatabase, type Database } from "../../../database.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import { object } from "../../shared/call.ts";
import { row, text } from "../../shared/read_row.ts";

/** The rows that the tools have shown, by table and id. */
export interface SeenTables {
  readonly users: Map<string, JsonObject>;
  readonly reservations: Map<string, JsonObject>;
  readonly flights: Map<string, JsonObject>;
}

/** Returns a database that contains the rows that the tools have shown. */
export function seenRows(desk: Desk): Database {
  return createDatabase(new Map(Object.entries(seenTables(desk))));
}

/** Returns users and reservations as the tools last showed them, and flights with the days that searches have shown. */
export function seenTables(desk: Desk): SeenTables {
  const users = new Map<string, JsonObject>();
  const reservations = new Map<string, JsonObject>();
  const flights = new Map<string, JsonObject>();
  for (const made of desk.calls) {
    const { action, shown } = made;
    if (shown instanceof Map) {
      const id = text(shown, "reservation_id");
      if (id !== "") reservations.set(id, shown);
      if (action.name === "get_user_details") {
        users.set(text(action.arguments, "user_id"), shown);
      }
    }
    for (const leg of legsIn(made)) addDay(flights, leg);
  }
  return { users, reservations, flights };
}

/** A flight on a given date, as shown by a search. */
interface ShownLeg {
  readonly flight: JsonObject;
  readonly date: string;
}

function legsIn({ action, shown }: MadeCall): ShownLeg[] {
  if (!action.name.startsWith("search_") || !Array.isArray(shown)) return [];
  return shown.flat().filter((one: JsonValue) => one instanceof Map)
    .map((flight) => ({
      flight,
      date: text(flight, "date") || text(action.arguments, "date"),
    }));
}

function addDay(
  flights: Map<string, JsonObject>,
  { flight, date }: ShownLeg,
): void {
  const number = text(flight, "flight_number");
  const known = flights.get(number) ?? new Map(flight).set("dates", object({}));
  row(known, "dates")?.set(date, flight);
  flights.set(number, known);
}
