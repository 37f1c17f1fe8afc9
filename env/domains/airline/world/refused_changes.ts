/**
 * Draws changes that policy refuses: a valid change with one forbidden addition, or a change to a reservation that does
 * not allow it.
 */

import { numberIn } from "../../shared/read_row.ts";
import type { AirlineIntent, Trip } from "../goal/request.ts";
import { type Change, drawChange, faresIn } from "./changes.ts";
import { directFlight, fullFlight } from "./choose_flights.ts";
import {
  CABINS,
  nameOfReservation,
  onReservation,
  type ReservationName,
  type UserIntent,
} from "./drawn.ts";
import { giveCertificates } from "./payments.ts";
import type { DrawRefused, RefusedRequest } from "./refusals.ts";
import {
  type AirlineWorld,
  drawPassenger,
  drawReservation,
  drawTraveller,
  type Reservation,
  type ReservationWish,
} from "./rows.ts";

/** A change that policy allows, and its reservation. */
interface Base extends UserIntent {
  readonly held: Reservation;
  readonly change: Change;
}

/** A function that returns a change's trip modified to break a clause, or `undefined` if the trip cannot break it. */
type Twist = (world: AirlineWorld, base: Base) => Trip | undefined;

const OF_OTHERS = { "account.own_reservation": ofStranger };
const OF_CANCELLED = { "change.not_cancelled": drawOn({ isCancelled: true }) };
const BY_CERTIFICATE = { "change.payment": twisted(byCertificate) };

/** The functions that draw refused changes, by intent and by the clause that refuses them. */
export const REFUSED_CHANGES = {
  change_flights: {
    ...OF_OTHERS,
    ...OF_CANCELLED,
    ...BY_CERTIFICATE,
    "change.basic_economy": drawOn({ cabins: ["basic_economy"] }),
    "change.route": twisted(toElsewhere),
    "flights.available": twisted(onFullFlight, "not enough seats"),
  },
  change_cabin: {
    ...OF_OTHERS,
    ...OF_CANCELLED,
    ...BY_CERTIFICATE,
    "flights.available": twisted(inFullCabin, "not enough seats"),
  },
  change_passengers: {
    ...OF_OTHERS,
    ...OF_CANCELLED,
    "passengers.number": twisted(withOneMore),
  },
  add_bags: {
    ...OF_OTHERS,
    ...OF_CANCELLED,
    ...BY_CERTIFICATE,
    "bags.not_fewer": twisted(withFewerBags),
    "bags.paid": twisted(withFreeBags, "no more bags are free"),
  },
} satisfies Partial<Record<AirlineIntent, Record<string, DrawRefused>>>;

/** Returns the number of a reservation's first flight, which policy requires the agent to state in a refusal. */
export function firstFlight({ legs }: Reservation): string {
  return legs[0]?.flight.number ?? "";
}

/** Returns the cabins in which a reservation allows requests with the given intent. */
export function cabinsFor(intent: AirlineIntent): ReservationWish["cabins"] {
  return intent === "change_flights" ? ["economy", "business"] : CABINS;
}

function twisted(twist: Twist, output?: string): DrawRefused {
  return (world, { user, intent }) => {
    const wish = { cabins: cabinsFor(intent), out: "available" } as const;
    const held = drawReservation(world, { user, wish });
    const change = held && drawChange(world, { user, intent, held });
    if (held === undefined || change === undefined) return undefined;
    const trip = twist(world, { user, intent, held, change });
    if (trip === undefined || isOnFirstFlight(change, held)) return undefined;
    const named = nameOfReservation(world, held);
    const searched = output === "not enough seats" ? change.searched : [];
    return {
      drawn: onReservation(world, { held, intent, trip, searched }, named),
      output: output ?? firstFlight(held),
      instead: changeOf(world, { intent, held, change, named }),
    };
  };
}

/**
 * Checks whether a searched flight has the number of the reservation's first flight. If so, an agent could state this
 * number without refusing the request.
 */
function isOnFirstFlight({ searched = [] }: Change, held: Reservation) {
  return searched !== held.legs &&
    searched.some(({ flight }) => flight.number === firstFlight(held));
}

function changeOf(
  world: AirlineWorld,
  { intent, held, change, named }: {
    intent: AirlineIntent;
    held: Reservation;
    change: Change;
    named: ReservationName;
  },
) {
  return onReservation(world, { held, intent, ...change }, named);
}

/**
 * Returns a function that draws a change to a reservation with the properties in `wanted`, which rule out this kind of
 * change.
 */
function drawOn(wanted: Partial<ReservationWish>): DrawRefused {
  return (world, { user, intent }): RefusedRequest | undefined => {
    const wish = {
      cabins: cabinsFor(intent),
      out: "available",
      ...wanted,
    } as const;
    const held = drawReservation(world, { user, wish });
    const change = held && drawChange(world, { user, intent, held });
    if (held === undefined || change === undefined) return undefined;
    const named = nameOfReservation(world, held);
    return {
      drawn: onReservation(
        world,
        { held, intent, trip: change.trip },
        named,
      ),
      output: firstFlight(held),
      instead: held.isCancelled
        ? undefined
        : insteadOf(world, { user, intent, held, named }),
    };
  };
}

/**
 * Draws a change to the same reservation with another intent, as the alternative to a refused request. Returns
 * `undefined` if the draw fails.
 */
export function insteadOf(
  world: AirlineWorld,
  { user, intent, held, named }: UserIntent & {
    readonly held: Reservation;
    readonly named: ReservationName;
  },
) {
  const all: AirlineIntent[] = [
    "change_cabin",
    "change_passengers",
    "add_bags",
  ];
  const other = world.rng.pick(all.filter((one) => one !== intent));
  const change = drawChange(world, { user, intent: other, held });
  return change && changeOf(world, { intent: other, held, change, named });
}

/**
 * Draws a change to another user's reservation, which the task's user identifies by its id. Returns `undefined` if the
 * draw fails.
 */
function ofStranger(
  world: AirlineWorld,
  { user, intent }: UserIntent,
): RefusedRequest | undefined {
  const held = drawReservation(world, {
    user: drawPassenger(world),
    wish: { cabins: cabinsFor(intent), out: "available" },
  });
  const change = held && drawChange(world, { user, intent, held });
  if (held === undefined || change === undefined) return undefined;
  const { trip } = change;
  const named = { reservationId: held.id };
  return {
    drawn: onReservation(world, { held, intent, trip }, named),
    output: user.userId,
  };
}

function byCertificate(world: AirlineWorld, { user, change }: Base) {
  giveCertificates(world, { user, count: 1 });
  return { ...change.trip, pay: ["certificate"] };
}

function toElsewhere(world: AirlineWorld, { held, change }: Base) {
  const { trip } = change;
  const { pick } = trip;
  const date = trip.date ?? trip.returnDate;
  const old = held.legs.at(-1)?.flight;
  if (pick === undefined || date === undefined || old === undefined) {
    return undefined;
  }
  const { from } = old;
  const others = [...world.routes.keys()].map((route) => route.split("-"))
    .flatMap(([start, to = ""]) => start === from && to !== old.to ? [to] : []);
  const newTo = world.rng.pick(others);
  const seat = { cabin: held.cabin, seats: held.passengers.length };
  const leg = directFlight(world, { from, to: newTo, date, pick, ...seat });
  return leg && { ...trip, newTo };
}

function onFullFlight(world: AirlineWorld, { held, change }: Base) {
  const { pick: _, ...trip } = change.trip;
  const date = trip.date ?? trip.returnDate;
  const old = held.legs.at(-1)?.flight;
  if (date === undefined || old === undefined) return undefined;
  const full = fullFlight(world, {
    from: old.from,
    to: old.to,
    date,
    cabin: held.cabin,
    seats: held.passengers.length,
  });
  return full && { ...trip, flight: full.number };
}

function inFullCabin(_: AirlineWorld, { held, change }: Base) {
  const full = CABINS.find((one) =>
    one !== held.cabin && faresIn(held, one).includes(undefined)
  );
  return full && { ...change.trip, cabin: full };
}

function withOneMore({ rng }: AirlineWorld): Trip {
  return { passengers: [drawTraveller(rng)] };
}

function withFewerBags(_: AirlineWorld, { held, change }: Base) {
  return held.bags === 0 ? undefined : { ...change.trip, bags: -1 };
}

function withFreeBags(_: AirlineWorld, { held, change }: Base) {
  const { trip: { bags }, write } = change;
  const isPaid = numberIn(write.arguments, "nonfree_baggages") > held.nonfree;
  return isPaid && bags !== undefined
    ? { bags, unpaid: true as const }
    : undefined;
}
