/**
 * Lists the one-way trips of a request. A one-way trip leads from one airport to another on one day, with or without a
 * stop.
 */

import { call } from "../../shared/call.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { rows, text } from "../../shared/read_row.ts";
import { airportOf } from "./fares.ts";
import type { Trip } from "./request.ts";

/** A one-way trip on a given date. */
export interface Way {
  /** The origin, as an airport code or a city. */
  readonly from: string;
  /** The destination, as an airport code or a city. */
  readonly to: string;
  /** The date: `2024-05-20`. */
  readonly date: string;
  /** The flight number, if the user asks for a specific flight. */
  readonly flight?: string | undefined;
}

/**
 * Returns the one-way trips of a booking or of a question about flights: the outbound trip and, for a round trip, the
 * return trip.
 */
export function tripWays(
  { from, to, date, returnDate, backFrom = to, flight }: Trip,
): Way[] {
  if (from === undefined || to === undefined || date === undefined) return [];
  const back = returnDate === undefined || backFrom === undefined
    ? []
    : [{ from: backFrom, to: from, date: returnDate }];
  return [{ from, to, date, flight }, ...back];
}

/**
 * Returns the one-way trips of a change, in the order of the reservation's flights. For each flight that is kept, the
 * list contains `undefined`.
 */
export function newWays(
  { date, returnDate, newTo, flight }: Trip,
  held: JsonObject | undefined,
): (Way | undefined)[] {
  return rows(held, "flights").map((kept, i) => {
    const day = [date, returnDate][i];
    if (day === undefined) return undefined;
    const [from, to] = [text(kept, "origin"), text(kept, "destination")];
    return { from, to: newTo ?? to, date: day, flight };
  });
}

/** Returns the one-way trips of a reservation, one per flight. */
export function heldWays(held: JsonObject | undefined): Way[] {
  return rows(held, "flights").map((leg) => ({
    from: text(leg, "origin"),
    to: text(leg, "destination"),
    date: text(leg, "date"),
    flight: text(leg, "flight_number"),
  }));
}

/** Returns the call that searches for the flights of a one-way trip. */
export function searchFor(
  { from, to, date }: Way,
  stops?: Trip["stops"],
): ToolAction {
  const tool = stops === undefined
    ? "search_direct_flight"
    : "search_onestop_flight";
  return call(tool, {
    origin: airportOf(from),
    destination: airportOf(to),
    date,
  });
}
