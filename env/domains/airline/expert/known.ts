/**
 * The rows of a request as policy has the expert see them: what the tools have shown and, of flights that no search
 * shows, what follows from that and from the user's words.
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

/** A request as the user makes it: they say neither whether policy allows it nor what they are to be told. */
export type Asked = Omit<AirlineRequest, "refused" | "refusedBy" | "outputs">;

/** A request with what is known of it. */
export interface Known {
  readonly desk: Desk;
  readonly request: Asked;
  readonly userId: string;
  /** The reservation that it is about, as last shown. */
  readonly held: JsonObject | undefined;
}

/** What is supposed of days that have not been searched: what suits the request best, or nothing. */
export type Supposed = "best" | "nothing";

/** The rows of a request. The user has no other reservation in them: what one gives a right to is not given for another. */
export function knownRows(known: Known, supposed: Supposed): Database {
  const { desk, userId, held } = known;
  const { reservations, flights } = seenTables(desk);
  for (const [way, day] of unseenDays(known, supposed)) {
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

/** A way, and how its flight is that day; `undefined` where nothing is known of it. */
type UnseenDay = readonly [Way, JsonObject | undefined];

const TODAY = NOW.slice(0, NOW.indexOf("T"));
const LANDED = object({ status: "landed" });
const DELAYED = object({ status: "delayed" });
const CANCELLED = object({ status: "cancelled" });
/** Of a flight that a user has named: it has been cancelled, or has no seats, or there is none. */
const FULL = object({ status: "full" });
const OPEN = object({
  status: "available",
  available_seats: inEachCabin(999),
  prices: inEachCabin(0),
});

function inEachCabin(value: number): JsonObject {
  return object({ basic_economy: value, economy: value, business: value });
}

/** Whether a day is after that of the conversation. */
export function isAhead({ date }: Way): boolean {
  return date > TODAY;
}

function unseenDays(known: Known, supposed: Supposed): UnseenDay[] {
  const { request: { intent, trip = {} }, held } = known;
  const wanted = intent === "book" ? tripWays(trip) : newWays(trip, held);
  return [
    ...heldWays(held).map((way): UnseenDay => [
      way,
      heldDay(known, { way, supposed }),
    ]),
    ...wanted.filter((way) => way !== undefined)
      .flatMap((way) => wantedDays(known, { way, supposed })),
  ];
}

/** How a flight of the reservation is, as policy counts it; a day that a search has shown stays as it was shown. */
function heldDay(
  { desk, request: { intent, trip } }: Known,
  { way, supposed }: { way: Way; supposed: Supposed },
): JsonObject | undefined {
  if (way.date < TODAY) return LANDED;
  if (!isAhead(way)) return trip?.delayed === true ? DELAYED : undefined;
  if (desk.hasCalled(searchFor(way))) return CANCELLED;
  if (supposed === "nothing") return undefined;
  return intent === "cancel" || intent === "certificate" ? CANCELLED : OPEN;
}

/** Flights that stand for those of a way that has not been searched; after a search, the one that it lacks. */
function wantedDays(
  { desk, request: { trip } }: Known,
  { way, supposed }: { way: Way; supposed: Supposed },
): UnseenDay[] {
  const { from, to, flight } = way;
  if (desk.hasCalled(searchFor(way, trip?.stops))) {
    return flight === undefined ? [] : [[way, FULL]];
  }
  if (supposed === "nothing") return [];
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
