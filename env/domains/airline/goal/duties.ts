/**
 * The reads that the airline's policy demands: the user's profile, a reservation before anything is done about it
 * or said of it, and the flights of the day before they are booked.
 */

import { call } from "../../shared/call.ts";
import type { Database } from "../../../database.ts";
import type { Meant } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { isCity } from "./fares.ts";
import { reservationsMeant } from "./meanings.ts";
import type { AirlineRequest, AirlineTask, Trip } from "./request.ts";
import { heldWays, newWays, searchFor, tripWays, type Way } from "./ways.ts";

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
function dutiesOf(meant: Meant<AirlineRequest>): ToolAction[] {
  return [
    ...rowReads(meant),
    ...looksAtFlights(meant.request) ? searches(meant) : [],
  ];
}

/** What policy refuses whatever the flights are like takes no look at them. */
function looksAtFlights({ refused, refusedBy }: AirlineRequest): boolean {
  return refused !== true || refusedBy === "flights.available" ||
    refusedBy === "certificate.eligible";
}

/** The reads of airports that are named by their cities, and of reservations. */
function rowReads(meant: Meant<AirlineRequest>): ToolAction[] {
  const { trip } = meant.request;
  if (trip === undefined) return [];
  return [
    ...airportReads(trip),
    ...(hasOwnRoute(meant) ? [] : reservationsMeant(meant)).map((
      reservation_id,
    ) => call("get_reservation_details", { reservation_id })),
  ];
}

/** The list of airports, where a city is named and its code has to be looked up. */
export function airportReads({ from, to }: Trip): ToolAction[] {
  const isCities = [from, to].some((one) => one !== undefined && isCity(one));
  return isCities ? [call("list_all_airports", {})] : [];
}

/** The searches for the flights that a request is about. */
export function searches(meant: Meant<AirlineRequest>): ToolAction[] {
  const { request, database } = meant;
  const { trip } = request;
  if (trip === undefined) return [];
  const own = reservationsMeant(meant);
  return own.length === 0 || hasOwnRoute(meant)
    ? tripWays(trip).map((way) => searchFor(way, trip.stops))
    : own.flatMap((id) =>
      waysLookedAt(request, database.get("reservations", id))
    ).map((way) => searchFor(way));
}

/** Whether origin and destination are of what is booked or asked for, and not of a reservation. */
export function hasOwnRoute(
  { request: { intent, trip } }: Pick<Meant<AirlineRequest>, "request">,
): boolean {
  return intent === "book" ||
    intent === "question" && trip?.pick !== undefined;
}

/** The new ways of a change; those of the reservation, to see how they are in another cabin, or that they are cancelled. */
function waysLookedAt(
  { intent, trip = {}, reason }: AirlineRequest,
  held: JsonObject | undefined,
): Way[] {
  if (intent === "change_flights") {
    return newWays(trip, held).filter((one) => one !== undefined);
  }
  // That a flight is late no search shows.
  const isLost = intent === "certificate" && trip.delayed !== true ||
    reason !== undefined;
  return intent === "change_cabin" || isLost ? heldWays(held) : [];
}
