/** What a drawn airline request is, and the parts that all of them are put together of. */

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

/** A request and how it is met. */
export interface DrawnTrip extends Drawn<AirlineRequest> {
  /** What the user asks for after it, of the same: what can be done instead, or the certificate for a delay. */
  readonly then?: DrawnTrip;
}

/** What a request is to be, settled before anything is drawn, so that shares hold whatever is redrawn. */
export interface Settled {
  readonly intent: AirlineIntent;
  /** Where policy is to refuse it: whether for whose it is, and which of the clauses, within 0..1. */
  readonly refusal?: {
    readonly isOther: boolean;
    readonly clause: number;
  };
  /** Whether the user changes their mind, where they can. */
  readonly rethinks: boolean;
  /** Whether a compensation is for a late flight. */
  readonly isLate: boolean;
}

/** Whose request is drawn, and what kind. */
export interface Of {
  readonly user: Passenger;
  readonly intent: AirlineIntent;
}

/** The cabins from which one cannot cancel for nothing. */
export const ECONOMIES: readonly Cabin[] = ["basic_economy", "economy"];

/** All cabins. */
export const CABINS: readonly Cabin[] = [...ECONOMIES, "business"];

/** The day of every conversation. */
export const TODAY = "2024-05-15";

/** A request on a reservation. */
export interface Booked {
  readonly held: Reservation;
  readonly intent: AirlineIntent;
  readonly trip: Trip;
  readonly write?: ToolAction | undefined;
  /** What policy demands to be looked at before. */
  readonly searched?: readonly FlightDay[] | undefined;
}

/** A flight that is looked at on a day. */
export interface FlightDay {
  readonly flight: Flight;
  readonly date: string;
}

/** How a user names a reservation: by its id or by its route. */
export type Named = Pick<Trip, "reservationId" | "from" | "to">;

/** How the user names a reservation. */
export function nameOfReservation(
  { rng, options }: AirlineWorld,
  { id, from, to }: Reservation,
): Named {
  return rng.next() < options.reservationStatedShare
    ? { reservationId: id }
    : { from, to };
}

/** A request on a reservation, which is read before anything else. */
export function onReservation(
  world: AirlineWorld,
  { held, intent, trip, write, searched = [] }: Booked,
  named: Named = nameOfReservation(world, held),
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

/** Whether the details come with the request. */
export function isForthcoming({ rng, options }: AirlineWorld): boolean {
  return rng.next() < options.detailsStatedShare;
}

/** The actions with searches before the write. */
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

/** The user's words for a kind of money: `gift card`. */
export function wordsOf({ source }: Method): string {
  return source.replace("_", " ");
}

/** A leg as calls have it. */
export function legOf({ flight, date }: Leg): JsonValue {
  return object({ flight_number: flight.number, date });
}

/** A person as calls have them. */
export function travellerOf(
  { firstName, lastName, dob }: Traveller,
): JsonValue {
  return object({ first_name: firstName, last_name: lastName, dob });
}

/** A sum; what is not there adds nothing. */
export function sum(numbers: readonly (number | undefined)[]): number {
  return numbers.reduce<number>((all, one) => all + (one ?? 0), 0);
}
