/** Types and helpers for drawn airline requests. */

import { call, object } from "../../shared/call.ts";
import type {
  AirlineIntent,
  AirlineRequest,
  Cabin,
  Traveller,
  Trip,
} from "../goal/request.ts";
import type { JsonValue } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import type { Drawn } from "../../../generated/draw.ts";
import type { Flight } from "./flight_rows.ts";
import type {
  AirlineWorld,
  Leg,
  Method,
  Passenger,
  Reservation,
} from "./rows.ts";

/** A drawn request and the actions that fulfill it. */
export interface DrawnTrip extends Drawn<AirlineRequest> {
  /** A follow-up request: an alternative after a refusal, or the certificate for a delay. */
  readonly then?: DrawnTrip;
}

/**
 * The kind of a request, determined before its details are drawn, so that redraws do not skew the configured shares.
 */
export interface RequestKind {
  readonly intent: AirlineIntent;
  /** Set if policy refuses the request. */
  readonly refusal?: {
    /** Whether the request concerns an account or a reservation of another user. */
    readonly isOther: boolean;
    /** A random number in [0, 1) that selects the clause that the request breaks. */
    readonly clause: number;
  };
  /** Whether the user changes their mind, if the request allows it. */
  readonly rethinks: boolean;
  /** Whether a request for compensation concerns a delayed flight rather than a cancelled flight. */
  readonly isLate: boolean;
}

/** The user whose request is drawn, and the request's intent. */
export interface UserIntent {
  readonly user: Passenger;
  readonly intent: AirlineIntent;
}

/** The economy cabins. Policy requires a reason for cancelling a reservation in one of them. */
export const ECONOMIES: readonly Cabin[] = ["basic_economy", "economy"];

/** All cabins, from the cheapest to the most expensive. */
export const CABINS: readonly Cabin[] = [...ECONOMIES, "business"];

/** The date of every conversation. */
export const TODAY = "2024-05-15";

/** A request about a reservation. */
export interface ReservationRequest {
  readonly held: Reservation;
  readonly intent: AirlineIntent;
  readonly trip: Trip;
  readonly write?: ToolAction | undefined;
  /** The flights that the agent has to look up before the write, according to policy. */
  readonly searched?: readonly FlightDay[] | undefined;
}

/** A flight, and the day for which it is looked up. */
export interface FlightDay {
  readonly flight: Flight;
  readonly date: string;
}

/** The fields with which a user identifies a reservation: its id or its route. */
export type ReservationName = Pick<Trip, "reservationId" | "from" | "to">;

/** Draws whether the user identifies a reservation by its id or by its route, and returns the matching fields. */
export function nameOfReservation(
  { rng, options }: AirlineWorld,
  { id, from, to }: Reservation,
): ReservationName {
  return rng.next() < options.reservationStatedShare
    ? { reservationId: id }
    : { from, to };
}

/** Builds a request about a reservation. The first of its actions reads the reservation. */
export function onReservation(
  world: AirlineWorld,
  { held, intent, trip, write, searched = [] }: ReservationRequest,
  named: ReservationName = nameOfReservation(world, held),
): DrawnTrip {
  const actions = [
    call("get_reservation_details", { reservation_id: held.id }),
    ...write === undefined ? [] : [write],
  ];
  return {
    request: {
      intent,
      trip: { ...named, ...trip },
      ...intent !== "question" && { forthcoming: isForthcoming(world) },
    },
    actions: withSearches(actions, searched),
    outputs: [],
  };
}

/** Draws whether the user states the details with the request. */
export function isForthcoming({ rng, options }: AirlineWorld): boolean {
  return rng.next() < options.detailsStatedShare;
}

/**
 * Returns the actions with searches for the flights inserted before the first write, or appended if there is no write.
 */
export function withSearches(
  actions: readonly ToolAction[],
  legs: readonly FlightDay[],
): ToolAction[] {
  const searches = legs.map(({ flight, date }) =>
    call("search_direct_flight", {
      origin: flight.from,
      destination: flight.to,
      date,
    })
  );
  const at = actions.findIndex(({ name }) =>
    /^(book|update|cancel|send)_/.test(name)
  );
  const reads = at < 0 ? actions : actions.slice(0, at);
  return [...reads, ...searches, ...at < 0 ? [] : actions.slice(at)];
}

/** Returns the kind of a payment method as users phrase it: `gift card`. */
export function wordsOf({ source }: Method): string {
  return source.replace("_", " ");
}

/** Converts a leg to the tools' format for flights. */
export function legOf({ flight, date }: Leg): JsonValue {
  return object({ flight_number: flight.number, date });
}

/** Converts a traveler to the tools' format for passengers. */
export function travellerOf(
  { firstName, lastName, dob }: Traveller,
): JsonValue {
  return object({ first_name: firstName, last_name: lastName, dob });
}

/** Returns the sum of the numbers, where `undefined` counts as 0. */
export function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((all, one) => all + (one ?? 0), 0);
}
