/** Draws reservation changes that policy allows: more bags, other passengers, another cabin or another day. */

import { call } from "../../shared/call.ts";
import { freeBags, PRICE_OF_A_BAG } from "../goal/fares.ts";
import { type Cabin, nameOf, type Trip } from "../goal/request.ts";
import type { ToolAction } from "../../../types.ts";
import { directFlight, drawDate, fareOf, PICKS } from "./choose_flights.ts";
import {
  CABINS,
  type FlightDay,
  legOf,
  sum,
  TODAY,
  travellerOf,
  type UserIntent,
  wordsOf,
} from "./drawn.ts";
import { drawPaying } from "./payments.ts";
import {
  type AirlineWorld,
  drawTraveller,
  type Leg,
  type Method,
  type Passenger,
  type Reservation,
} from "./rows.ts";

/**
 * A change to a reservation: the details in the user's words, the call that makes the change, and the flights to look
 * up before the call.
 */
export interface Change {
  readonly trip: Trip;
  readonly write: ToolAction;
  readonly searched?: readonly FlightDay[];
}

interface Held {
  readonly user: Passenger;
  readonly held: Reservation;
}

/** On average, one in `CERTAIN_FLIGHT` changes of flights asks for a specific flight by its number. */
const CERTAIN_FLIGHT = 4;

/** Draws a change to a reservation, or returns `undefined` if the draw fails. */
export function drawChange(
  world: AirlineWorld,
  { user, intent, held }: UserIntent & { readonly held: Reservation },
): Change | undefined {
  switch (intent) {
    case "add_bags":
      return changeBags(world, { user, held });
    case "change_passengers":
      return changePassengers(world, held);
    case "change_cabin":
      return changeCabin(world, { user, held });
    default:
      return changeFlights(world, { user, held });
  }
}

function changeBags(world: AirlineWorld, { user, held }: Held): Change {
  const more = 1 + world.rng.int(3);
  const total = held.bags + more;
  const free = freeBags(user.membership, held.cabin) *
    held.passengers.length;
  const nonfree = Math.max(total - free, held.nonfree);
  const price = PRICE_OF_A_BAG * (nonfree - held.nonfree);
  const method = drawPaying(world, { user, price });
  return {
    trip: { bags: more, pay: [wordsOf(method)] },
    write: call("update_reservation_baggages", {
      reservation_id: held.id,
      total_baggages: total,
      nonfree_baggages: nonfree,
      payment_id: method.id,
    }),
  };
}

function changePassengers(
  { rng }: AirlineWorld,
  held: Reservation,
): Change | undefined {
  const leaving = rng.pick(held.passengers);
  const fresh = drawTraveller(rng);
  if (held.passengers.some((one) => nameOf(one) === nameOf(fresh))) {
    return undefined;
  }
  return {
    trip: { passengers: [fresh], replaced: nameOf(leaving) },
    write: call("update_reservation_passengers", {
      reservation_id: held.id,
      passengers: held.passengers.map((one) =>
        travellerOf(one === leaving ? fresh : one)
      ),
    }),
  };
}

function changeCabin(
  world: AirlineWorld,
  { user, held }: Held,
): Change | undefined {
  const cabin = world.rng.pick(CABINS.filter((one) => one !== held.cabin));
  const seats = held.passengers.length;
  const fares = faresIn(held, cabin);
  if (fares.includes(undefined)) return undefined;
  const price = seats *
    (sum(fares) - sum(held.legs.map((leg) => leg.price)));
  if (price === 0) return undefined;
  const method = drawPaying(world, { user, price });
  return {
    trip: { cabin, pay: [wordsOf(method)] },
    write: flightsWrite(held, { cabin, legs: held.legs, method }),
    searched: held.legs,
  };
}

/**
 * Returns the fare of each of a reservation's flights in the given cabin, in dollars, or `undefined` for a flight that
 * cannot be booked or has too few seats.
 */
export function faresIn(
  { legs, passengers: { length: seats } }: Reservation,
  cabin: Cabin,
): (number | undefined)[] {
  return legs.map(({ flight, date }) => fareOf(flight, { date, cabin, seats }));
}

function changeFlights(
  world: AirlineWorld,
  { user, held }: Held,
): Change | undefined {
  const { rng } = world;
  const at = held.legs.length - 1; // only the last leg can move to a later day
  const old = held.legs[at];
  const fresh = old && drawOtherDay(world, held);
  if (old === undefined || fresh === undefined) return undefined;
  const seats = held.passengers.length;
  const price = seats * (fresh.leg.price - old.price);
  if (price === 0) return undefined;
  const method = drawPaying(world, { user, price });
  const legs = held.legs.map((leg, i) => i === at ? fresh.leg : leg);
  const isCertain = rng.int(CERTAIN_FLIGHT) === 0;
  return {
    trip: {
      ...dateOf(held, fresh.leg.date),
      ...isCertain ? { flight: fresh.leg.flight.number } : { pick: fresh.pick },
      pay: [wordsOf(method)],
    },
    write: flightsWrite(held, { cabin: held.cabin, legs, method }),
    searched: [fresh.leg],
  };
}

/**
 * Draws another date for the reservation's last flight and a criterion for choosing a flight, and finds the flight that
 * fits best. Returns `undefined` if there is no such date, no flight fits, or several flights tie.
 */
export function drawOtherDay(world: AirlineWorld, held: Reservation) {
  const at = held.legs.length - 1;
  const old = held.legs[at];
  if (old === undefined) return undefined;
  const { from, to } = old.flight;
  const pick = world.rng.pick(PICKS);
  const date = drawDate(world, {
    after: at === 0 ? TODAY : later(held.legs[at - 1]?.date),
    not: old.date,
  });
  const leg = date && directFlight(world, {
    from,
    to,
    date,
    pick,
    cabin: held.cabin,
    seats: held.passengers.length,
  });
  return leg ? { leg, pick } : undefined;
}

function later(date = TODAY): string {
  return date > TODAY ? date : TODAY;
}

/**
 * Returns the new date of a reservation's last flight as a detail of a request: as `returnDate` for a round trip, and
 * as `date` otherwise.
 */
export function dateOf({ legs }: Reservation, date: string): Trip {
  return legs.length === 1 ? { date } : { returnDate: date };
}

function flightsWrite(
  held: Reservation,
  { cabin, legs, method }: {
    cabin: Cabin;
    legs: readonly Leg[];
    method: Method;
  },
): ToolAction {
  return call("update_reservation_flights", {
    reservation_id: held.id,
    cabin,
    flights: legs.map(legOf),
    payment_id: method.id,
  });
}
