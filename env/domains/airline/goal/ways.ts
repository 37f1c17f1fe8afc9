/** The ways that a request wants to be flown: from where to where, and on which day. */

import { call } from "../../shared/call.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { rows, text } from "../../shared/read_row.ts";
import { airportOf } from "./fares.ts";
import type { Trip } from "./request.ts";

/** A way on a day. */
export interface Way {
  /** An airport or its city. */
  readonly from: string;
  readonly to: string;
  readonly date: string;
  /** The number of the flight, where a certain one is wanted. */
  readonly flight?: string | undefined;
}

/** The ways of a booking or of a question about flights: out and, where it is a round trip, back. */
export function tripWays(
  { from, to, date, returnDate, backFrom = to, flight }: Trip,
): Way[] {
  if (from === undefined || to === undefined || date === undefined) return [];
  const back = returnDate === undefined || backFrom === undefined
    ? []
    : [{ from: backFrom, to: from, date: returnDate }];
  return [{ from, to, date, flight }, ...back];
}

/** The ways of a change, in the order of the reservation's flights; `undefined` for a flight that stays. */
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

/** The ways that a reservation has. */
export function heldWays(held: JsonObject | undefined): Way[] {
  return rows(held, "flights").map((leg) => ({
    from: text(leg, "origin"),
    to: text(leg, "destination"),
    date: text(leg, "date"),
    flight: text(leg, "flight_number"),
  }));
}

/** The search that shows the flights of a way. */
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
