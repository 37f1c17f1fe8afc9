/** Draws bookings that policy refuses: valid bookings, each with one change that breaks a clause. */

import { freeBags } from "../goal/fares.ts";
import { nameOf, type Trip } from "../goal/request.ts";
import { AIRPORTS } from "../tools/list_all_airports.ts";
import { isWrite } from "../../../audit/finding.ts";
import { type Booking, bookingRequest, drawBooking } from "./bookings.ts";
import { directFlight, fullFlight } from "./choose_flights.ts";
import { giveCertificates } from "./payments.ts";
import type { DrawRefused, RefusedRequest } from "./refusals.ts";
import {
  type AirlineWorld,
  drawPassenger,
  drawTraveller,
  type Passenger,
} from "./rows.ts";

/** A booking that policy allows, and its user. */
interface Base extends Booking {
  readonly user: Passenger;
}

/** A function that returns a booking's trip modified to break a clause, or `undefined` if the trip cannot break it. */
type Twist = (world: AirlineWorld, base: Base) => Trip | undefined;

/** The functions that draw refused bookings, by the clause that refuses them. */
export const REFUSED_BOOKINGS: Readonly<Record<string, DrawRefused>> = {
  "account.own_profile": twisted(onOtherAccount, ({ userId }) => userId),
  "book.passengers": twisted(forSix, () => "at most five"),
  "book.flights": twisted(
    backFromElsewhere,
    () => "starts at the destination",
  ),
  "flights.available": twisted(onFullFlight, () => "not enough seats"),
  "book.payment": twisted(byTwoCertificates, () => "at most one"),
  "bags.paid": twisted(withFreeBags, () => "no more bags are free"),
};

function twisted(
  twist: Twist,
  output: (user: Passenger) => string,
): DrawRefused {
  return (world, { user }): RefusedRequest | undefined => {
    const base = drawBooking(world, user);
    const trip = base && twist(world, { ...base, user });
    if (base === undefined || trip === undefined) return undefined;
    const reads = base.actions.filter((action) =>
      !isWrite(action) &&
      (twist === onFullFlight || action.name.startsWith("list_"))
    );
    return {
      drawn: bookingRequest(world, { ...base, trip, actions: reads }),
      output: output(user),
      instead: bookingRequest(world, base),
    };
  };
}

function onOtherAccount(world: AirlineWorld, { trip }: Base): Trip {
  return { ...trip, account: drawPassenger(world).userId };
}

/**
 * Returns a booking's trip extended to six passengers, or `undefined` if their names are not distinct or no flights
 * fit.
 */
function forSix(world: AirlineWorld, { trip, user }: Base) {
  if (trip.stops !== undefined || trip.flight !== undefined) return undefined;
  const party = Array.from({ length: 5 }, () => drawTraveller(world.rng));
  const passengers = [...party, user.self];
  const isApart = new Set(passengers.map(nameOf)).size === passengers.length;
  return isApart && isFlown(world, { ...trip, passengers })
    ? { ...trip, passengers }
    : undefined;
}

/** Checks whether each direction of a trip has exactly one direct flight that fits best. */
function isFlown(world: AirlineWorld, trip: Trip): boolean {
  const { cabin = "economy", passengers = [], pick = "cheapest" } = trip;
  const { from = "", to = "", backFrom = to, date, returnDate } = trip;
  const seat = { cabin, seats: passengers.length, pick };
  const codes = (words: string) =>
    [...AIRPORTS].find(([, city]) => city === words)?.[0] ?? words;
  const ways = [
    { from: codes(from), to: codes(to), date },
    { from: codes(backFrom), to: codes(from), date: returnDate },
  ];
  return ways.every(({ date, ...way }) =>
    date === undefined ||
    directFlight(world, { ...way, ...seat, date }) !== undefined
  );
}

function backFromElsewhere(world: AirlineWorld, base: Base) {
  const { trip, from, to } = base;
  const { rng, routes } = world;
  if (trip.returnDate === undefined || trip.stops || trip.flight) {
    return undefined;
  }
  const others = [...routes.keys()].map((route) => route.slice(0, 3))
    .filter((code) => code !== from && code !== to);
  if (others.length === 0) return undefined;
  const code = rng.pick(others);
  const named = trip.from === from ? code : AIRPORTS.get(code) ?? code;
  const wanted = { ...trip, backFrom: named };
  return isFlown(world, wanted) ? wanted : undefined;
}

function onFullFlight(world: AirlineWorld, { trip, from, to }: Base) {
  const { cabin = "economy", passengers = [], date = "" } = trip;
  if (trip.stops !== undefined) return undefined;
  const seats = passengers.length;
  const full = fullFlight(world, { from, to, date, cabin, seats });
  if (full === undefined) return undefined;
  const { pick, ...rest } = trip;
  return {
    ...rest,
    ...trip.returnDate !== undefined && pick !== undefined && { pick },
    flight: full.number,
  };
}

function byTwoCertificates(world: AirlineWorld, { trip, user }: Base) {
  if (trip.pay?.includes("certificate")) return undefined;
  giveCertificates(world, { user, count: 2 });
  return { ...trip, pay: ["certificate", "certificate", "credit card"] };
}

function withFreeBags(_: AirlineWorld, { trip, user }: Base) {
  const { cabin = "economy", passengers = [], bags = 0 } = trip;
  const free = freeBags(user.membership, cabin) * passengers.length;
  return bags > free ? { ...trip, unpaid: true as const } : undefined;
}
