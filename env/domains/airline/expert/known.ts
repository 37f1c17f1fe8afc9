/**
 * Builds a database of the rows that the expert knows for a request. The database contains the rows that the tools have
 * shown. Flights that no search has shown are inferred from the shown rows and from what the user has said.
 */

import type { Desk } from "../../../agents/desk.ts";
import { createDatabase, type Database } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import { object } from "../../shared/call.ts";
import { row, text } from "../../shared/read_row.ts";
import { airportOf } from "../goal/fares.ts";
import type { AirlineRequest } from "../goal/request.ts";
import {
  heldWays,
  newWays,
  searchFor,
  tripWays,
  type Way,
} from "../goal/ways.ts";
import { NOW } from "../policy_clauses.ts";
import { seenTables } from "./seen.ts";

/** A request without the fields that the expert cannot know: whether policy allows it, and its expected outputs. */
export type StatedRequest = Omit<
  AirlineRequest,
  "refused" | "refusedBy" | "outputs"
>;

/** A request, and what the expert knows about it. */
export interface KnownRequest {
  readonly desk: Desk;
  readonly request: StatedRequest;
  readonly userId: string;
  /** The reservation that the request is about, as the tools last showed it. */
  readonly held: JsonObject | undefined;
}

/**
 * What to assume about days that no search has covered: `best` stands for the flights that suit the request best, and
 * `nothing` for no flights.
 */
export type Assumption = "best" | "nothing";

/**
 * Builds a database of the rows that the expert knows for a request. The user's row lists only the reservation that the
 * request concerns, so that no other reservation can affect the decision on this request.
 */
export function knownRows(
  known: KnownRequest,
  assumption: Assumption,
): Database {
  const { desk, userId, held } = known;
  const { reservations, flights } = seenTables(desk);
  for (const [way, day] of unseenDays(known, assumption)) {
    addDay(flights, way, day);
  }
  const own = held === undefined ? [] : [text(held, "reservation_id")];
  const user = new Map(desk.user).set("reservations", own);
  return createDatabase(
    new Map([
      ["users", new Map([[userId, user]])],
      ["reservations", reservations],
      ["flights", flights],
    ]),
  );
}

/**
 * A one-way trip, and the assumed entry of its flight for the date of the trip. The entry is `undefined` if nothing can
 * be assumed.
 */
type UnseenDay = readonly [Way, JsonObject | undefined];

const TODAY = NOW.slice(0, NOW.indexOf("T"));
const LANDED = object({ status: "landed" });
const DELAYED = object({ status: "delayed" });
const CANCELLED = object({ status: "cancelled" });
/** The entry for a flight that cannot be booked because it was cancelled, has no seats, or does not exist. */
const FULL = object({ status: "full" });
const OPEN = object({
  status: "available",
  available_seats: inEachCabin(999),
  prices: inEachCabin(0),
});

function inEachCabin(value: number): JsonObject {
  return object({ basic_economy: value, economy: value, business: value });
}

/** Checks whether a trip's date is after the date of the conversation. */
export function isAhead({ date }: Way): boolean {
  return date > TODAY;
}

function unseenDays(known: KnownRequest, assumption: Assumption): UnseenDay[] {
  const { request: { intent, trip = {} }, held } = known;
  const wanted = intent === "book" ? tripWays(trip) : newWays(trip, held);
  return [
    ...heldWays(held).map((way): UnseenDay => [
      way,
      heldDay(known, { way, assumption }),
    ]),
    ...wanted.filter((way) => way !== undefined)
      .flatMap((way) => wantedDays(known, { way, assumption })),
  ];
}

/**
 * Returns the assumed entry for one of the reservation's flights on its date, for use when no search has shown the real
 * entry. Returns `undefined` if nothing can be assumed.
 */
function heldDay(
  { desk, request: { intent, trip } }: KnownRequest,
  { way, assumption }: { way: Way; assumption: Assumption },
): JsonObject | undefined {
  if (way.date < TODAY) return LANDED;
  if (!isAhead(way)) return trip?.delayed === true ? DELAYED : undefined;
  if (desk.hasCalled(searchFor(way))) return CANCELLED;
  if (assumption === "nothing") return undefined;
  return intent === "cancel" || intent === "certificate" ? CANCELLED : OPEN;
}

/**
 * Returns assumed entries for the flights of a trip. Before a search for the trip, under the assumption `best`, the
 * flights can be booked. After a search, a flight that the user asked for by number but that the search did not find
 * cannot be booked.
 */
function wantedDays(
  { desk, request: { trip } }: KnownRequest,
  { way, assumption }: { way: Way; assumption: Assumption },
): UnseenDay[] {
  const { from, to, flight } = way;
  if (desk.hasCalled(searchFor(way, trip?.stops))) {
    return flight === undefined ? [] : [[way, FULL]];
  }
  if (assumption === "nothing") return [];
  const stops = trip?.stops === undefined ? [from, to] : [from, "a stop", to];
  return stops.slice(1).map((to, i) => {
    const from = stops[i]!;
    return [{ ...way, from, to, flight: flight ?? `${from} to ${to}` }, OPEN];
  });
}

function addDay(
  flights: Map<string, JsonObject>,
  { flight = "", from, to, date }: Way,
  day: JsonObject | undefined,
): void {
  const known = flights.get(flight) ?? object({
    flight_number: flight,
    origin: airportOf(from),
    destination: airportOf(to),
  });
  const dates = new Map(row(known, "dates"));
  if (day !== undefined && !dates.has(date)) dates.set(date, day);
  flights.set(flight, new Map(known).set("dates", dates));
}
