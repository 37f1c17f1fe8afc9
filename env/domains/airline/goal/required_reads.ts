/**
 * Lists the read calls that the airline's policy requires: the user's profile, a reservation before the agent changes
 * or discusses it, and the flights of a day before the agent books one of them.
 */

import { call } from "../../shared/call.ts";
import type { Database } from "../../../database.ts";
import type { RequestContext } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { isCity } from "./fares.ts";
import { candidateReservations } from "./fulfilling_calls.ts";
import type { AirlineRequest, AirlineTask, Trip } from "./request.ts";
import { heldWays, newWays, searchFor, tripWays, type Way } from "./ways.ts";

/** Returns the read calls that policy requires for a task. */
export function requiredReads(
  task: AirlineTask,
  database: Database,
): ToolAction[] {
  const { goal, userId } = task;
  if (goal === undefined) return [];
  const all = [
    call("get_user_details", { user_id: userId }),
    ...goal.requests.flatMap((request) =>
      readsForRequest({ request, database, userId })
    ),
  ];
  const seen = new Map(
    all.map((one) => [JSON.stringify([one.name, ...one.arguments]), one]),
  );
  return [...seen.values()];
}

/** Returns the read calls for one request, in the order in which they are made. */
function readsForRequest(
  context: RequestContext<AirlineRequest>,
): ToolAction[] {
  return [
    ...rowReads(context),
    ...looksAtFlights(context.request) ? searches(context) : [],
  ];
}

/**
 * Checks whether the agent has to look up flights for a request. This is not necessary if policy refuses the request
 * for a reason that does not depend on flights.
 */
function looksAtFlights({ refused, refusedBy }: AirlineRequest): boolean {
  return refused !== true || refusedBy === "flights.available" ||
    refusedBy === "certificate.eligible";
}

/** Returns the calls that read the request's reservations and, if the request names cities, the airports. */
function rowReads(context: RequestContext<AirlineRequest>): ToolAction[] {
  const { trip } = context.request;
  if (trip === undefined) return [];
  return [
    ...airportReads(trip),
    ...(hasOwnRoute(context) ? [] : candidateReservations(context)).map((
      reservation_id,
    ) => call("get_reservation_details", { reservation_id })),
  ];
}

/** Returns the call that lists the airports if a trip names a city, and no calls otherwise. */
export function airportReads({ from, to }: Trip): ToolAction[] {
  const isCities = [from, to].some((one) => one !== undefined && isCity(one));
  return isCities ? [call("list_all_airports", {})] : [];
}

/** Returns the searches for the flights that a request is about. */
export function searches(
  context: RequestContext<AirlineRequest>,
): ToolAction[] {
  const { request, database } = context;
  const { trip } = request;
  if (trip === undefined) return [];
  const own = candidateReservations(context);
  return own.length === 0 || hasOwnRoute(context)
    ? tripWays(trip).map((way) => searchFor(way, trip.stops))
    : own.flatMap((id) =>
      waysLookedAt(request, database.get("reservations", id))
    ).map((way) => searchFor(way));
}

/**
 * Checks whether the request states the route of a booking or a question rather than the route of an existing
 * reservation.
 */
export function hasOwnRoute(
  { request: { intent, trip } }: Pick<
    RequestContext<AirlineRequest>,
    "request"
  >,
): boolean {
  return intent === "book" ||
    intent === "question" && trip?.pick !== undefined;
}

/**
 * Returns the one-way trips to search for: the new trips if the user wants to change flights, or the reservation's
 * trips if the user wants another cabin or a flight may have been cancelled. Returns no trips for any other request.
 */
function waysLookedAt(
  { intent, trip = {}, reason }: AirlineRequest,
  held: JsonObject | undefined,
): Way[] {
  if (intent === "change_flights") {
    return newWays(trip, held).filter((one) => one !== undefined);
  }
  // Searches do not show whether a flight is delayed.
  const isLost = intent === "certificate" && trip.delayed !== true ||
    reason !== undefined;
  return intent === "change_cabin" || isLost ? heldWays(held) : [];
}
