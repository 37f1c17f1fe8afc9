/**
 * The reads that the airline's policy demands: the customer's profile, a reservation before anything is done about it
 * or said of it, and the flights of the day before they are booked.
 *
 * @module
 */

import type { Database } from "../../database.ts";
import type { Meant } from "../../goal/goal_domain.ts";
import type { Task, ToolAction } from "../../types.ts";
import { rows, text } from "../../users/_read.ts";
import { airportOf, call, isCity } from "./fares.ts";
import { reservationsMeant } from "./meanings.ts";

/** The reads that policy demands of a task. */
export function duties(task: Task, database: Database): ToolAction[] {
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
export function dutiesOf(meant: Meant): ToolAction[] {
  const { trip, refused } = meant.request;
  if (trip === undefined) return [];
  const { from, to, date, returnDate } = trip;
  const isCities = [from, to].some((one) => one !== undefined && isCity(one));
  const listing = isCities ? [call("list_all_airports", {})] : [];
  const own = reservationsMeant(meant);
  if (own.length === 0 || hasOwnRoute(meant)) {
    return refused === true ? listing : [
      ...listing,
      ...search(from, to, date),
      ...search(to, from, returnDate),
    ];
  }
  const reads = own.map((reservation_id) =>
    call("get_reservation_details", { reservation_id })
  );
  const legs = refused === true
    ? []
    : own.flatMap((id) => legsLookedAt(meant, id));
  return [...listing, ...reads, ...legs];
}

/** Whether origin and destination are of what is booked or asked for, and not of a reservation. */
function hasOwnRoute({ request: { intent, trip } }: Meant): boolean {
  return intent === "book" ||
    intent === "question" && trip?.pick !== undefined;
}

/** The days of flights that a change is about; of cancelled ones, to see that they are. */
function legsLookedAt({ request, database }: Meant, id: string): ToolAction[] {
  const { intent, trip } = request;
  const flights = rows(database.get("reservations", id), "flights");
  return flights.flatMap((one, i) => {
    const [from, to] = [text(one, "origin"), text(one, "destination")];
    if (intent === "change_flights") {
      return search(from, to, [trip?.date, trip?.returnDate][i]);
    }
    const isLost = intent === "certificate" || request.reason !== undefined;
    return intent === "change_cabin" || isLost
      ? search(from, to, text(one, "date"))
      : [];
  });
}

function search(
  from: string | undefined,
  to: string | undefined,
  date: string | undefined,
): ToolAction[] {
  if (from === undefined || to === undefined || date === undefined) return [];
  return [call("search_direct_flight", {
    origin: airportOf(from),
    destination: airportOf(to),
    date,
  })];
}
