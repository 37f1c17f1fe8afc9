/**
 * The reads that the airline's policy demands: the user's profile, a reservation before anything is done about it
 * or said of it, and the flights of the day before they are booked.
 */

import { call } from "../../shared/call.ts";
import type { Database } from "../../../database.ts";
import type { Meant } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import { rows, text } from "../../shared/read_row.ts";
import { airportOf, isCity } from "./fares.ts";
import { reservationsMeant } from "./meanings.ts";
import type { AirlineRequest, AirlineTask, Trip } from "./request.ts";

/** The reads that policy demands of a task. */
export function duties(task: AirlineTask, database: Database): ToolAction[] {
  const { goal, userId } = task;
  if (goal === undefined) return [];
  const all = [
    call("get_user_details", { user_id: userId }),
    ...goal.requests.flatMap((request) =>
      dutiesOf({ request, database, userId })
    ),
  ];
  const seen = new Map(
    all.map((one) => [JSON.stringify([one.name, ...one.arguments]), one]),
  );
  return [...seen.values()];
}

/** The reads for one request, in the order in which they are made. */
export function dutiesOf(meant: Meant<AirlineRequest>): ToolAction[] {
  const { request } = meant;
  const { trip } = request;
  if (trip === undefined) return [];
  const isCities = [trip.from, trip.to].some((one) =>
    one !== undefined && isCity(one)
  );
  const listing = isCities ? [call("list_all_airports", {})] : [];
  const own = reservationsMeant(meant);
  if (own.length === 0 || hasOwnRoute(meant)) {
    return [...listing, ...looksAtFlights(request) ? tripSearches(trip) : []];
  }
  const reads = own.map((reservation_id) =>
    call("get_reservation_details", { reservation_id })
  );
  const legs = looksAtFlights(request)
    ? own.flatMap((id) => legsLookedAt(meant, id))
    : [];
  return [...listing, ...reads, ...legs];
}

/** What policy refuses whatever the flights are like takes no look at them. */
function looksAtFlights({ refused, refusedBy }: AirlineRequest): boolean {
  return refused !== true || refusedBy === "flights.available" ||
    refusedBy === "certificate.eligible";
}

function tripSearches(
  { from, to, date, returnDate, stops }: Trip,
): ToolAction[] {
  return [
    ...search({ from, to, date, stops }),
    ...search({ from: to, to: from, date: returnDate, stops }),
  ];
}

/** Whether origin and destination are of what is booked or asked for, and not of a reservation. */
export function hasOwnRoute(
  { request: { intent, trip } }: Meant<AirlineRequest>,
): boolean {
  return intent === "book" ||
    intent === "question" && trip?.pick !== undefined;
}

/** The days of flights that a change is about; of cancelled ones, to see that they are. */
function legsLookedAt(
  { request, database }: Meant<AirlineRequest>,
  id: string,
): ToolAction[] {
  const { intent, trip } = request;
  const flights = rows(database.get("reservations", id), "flights");
  return flights.flatMap((one, i) => {
    const [from, to] = [text(one, "origin"), text(one, "destination")];
    if (intent === "change_flights") {
      return search({ from, to, date: [trip?.date, trip?.returnDate][i] });
    }
    // That a flight is late no search shows.
    const isLost = intent === "certificate" && trip?.delayed !== true ||
      request.reason !== undefined;
    return intent === "change_cabin" || isLost
      ? search({ from, to, date: text(one, "date") })
      : [];
  });
}

function search(
  { from, to, date, stops }: {
    from: string | undefined;
    to: string | undefined;
    date: string | undefined;
    stops?: Trip["stops"] | undefined;
  },
): ToolAction[] {
  if (from === undefined || to === undefined || date === undefined) return [];
  const tool = stops === undefined
    ? "search_direct_flight"
    : "search_onestop_flight";
  return [call(tool, {
    origin: airportOf(from),
    destination: airportOf(to),
    date,
  })];
}
