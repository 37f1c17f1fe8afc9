/** Draws requests of airline users about an existing database: bookings, cancellations, changes and questions. */

import { call } from "../../shared/call.ts";
import type { Row } from "../../shared/goal/effects.ts";
import { type AirlineIntent, nameOf } from "../goal/request.ts";
import { NOW } from "../policy_clauses.ts";
import { bookingRequest, drawBooking } from "../world/bookings.ts";
import { type Change, drawChange } from "../world/changes.ts";
import {
  type DrawnTrip,
  nameOfReservation,
  onReservation,
  TODAY,
  travellerOf,
} from "../world/drawn.ts";
import { cabinsFor } from "../world/refused_changes.ts";
import type { AirlineWorld, Passenger, Reservation } from "../world/rows.ts";

/** A request of a user, or several related requests. */
export interface TripWish {
  /** The requests, in the order in which the user makes them. */
  readonly drawn: readonly DrawnTrip[];
  /** The reservation that the requests concern. Omitted for bookings and questions. */
  readonly held?: Reservation;
  /** A sentence that states the user's reason. Omitted if the user states no reason. */
  readonly because?: string;
}

/**
 * Draws a booking, or a request with another intent about one of the future reservations in `open`. Returns `undefined`
 * if the draw fails.
 */
export function drawTripWish(
  world: AirlineWorld,
  { user, intent, open }: {
    user: Passenger;
    intent: AirlineIntent;
    open: readonly Reservation[];
  },
): TripWish | undefined {
  if (intent === "book") {
    const booking = drawBooking(world, user);
    return booking && { drawn: [bookingRequest(world, booking)] };
  }
  const ahead = open.filter(isAhead);
  if (intent === "cancel") return drawCancellation(world, ahead);
  const held = pickOf(
    world,
    ahead.filter(({ cabin }) => cabinsFor(intent).includes(cabin)),
  );
  const change = held && hasPlainLegs(held) &&
    changeOf(world, { user, intent, held });
  return held && change
    ? { drawn: [onReservation(world, { held, intent, ...change })], held }
    : undefined;
}

/**
 * Draws a cancellation that policy refuses, and a change to the same reservation as the alternative. Returns
 * `undefined` if the draw fails.
 */
export function drawInstead(
  world: AirlineWorld,
  { user, open }: { user: Passenger; open: readonly Reservation[] },
): TripWish | undefined {
  const held = pickOf(
    world,
    open.filter((one) => isAhead(one) && reasonFor(one) === undefined),
  );
  const intent = world.rng.pick(["add_bags", "change_passengers"] as const);
  const change = held && changeOf(world, { user, intent, held });
  if (held === undefined || change === undefined) return undefined;
  const named = nameOfReservation(world, held);
  const cancel = onReservation(
    world,
    { held, intent: "cancel", trip: {} },
    named,
  );
  const then = onReservation(world, { held, intent, ...change }, named);
  return {
    drawn: [
      {
        ...cancel,
        request: {
          ...cancel.request,
          refused: true,
          refusedBy: "cancel.allowed",
        },
      },
      { ...then, request: { ...then.request, fallback: true } },
    ],
    held,
  };
}

/**
 * Draws a change to a reservation, or returns `undefined` if the draw fails. A new passenger is always a user in the
 * database.
 */
function changeOf(
  world: AirlineWorld,
  of: {
    readonly user: Passenger;
    readonly intent: AirlineIntent;
    readonly held: Reservation;
  },
): Change | undefined {
  const { rng, people } = world;
  const { held, intent } = of;
  if (intent !== "change_passengers") return drawChange(world, of);
  const { self: fresh } = rng.pick(people);
  const leaving = rng.pick(held.passengers);
  const names = new Set([...held.passengers, fresh].map(nameOf));
  if (names.size <= held.passengers.length) return undefined;
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

/**
 * Draws a question about the total balance of a user's gift cards or of their certificates. Returns `undefined` if the
 * user has none of the drawn kind.
 */
export function drawTripQuestion(
  { rng }: AirlineWorld,
  { row }: Passenger,
): TripWish | undefined {
  const source = rng.pick(["gift_card", "certificate"]);
  const methods = Object.values<Row>(row["payment_methods"] ?? {});
  const amounts = methods.filter((one) => one.source === source)
    .map(({ amount }) => amount);
  if (amounts.length === 0) return undefined;
  const question = `the sum of ${source.replace("_", " ")} balances that ${
    rng.pick(["you have", "there are in your profile"])
  }`;
  const expression = amounts.join(" + ");
  const isSum = amounts.length > 1;
  const outputs = [String(amounts.reduce((sum, one) => sum + one, 0))];
  return {
    drawn: [{
      request: { intent: "question", question, outputs },
      actions: isSum ? [call("calculate", { expression })] : [],
      outputs,
    }],
  };
}

function drawCancellation(
  world: AirlineWorld,
  ahead: readonly Reservation[],
): TripWish | undefined {
  const held = pickOf(
    world,
    ahead.filter((one) => reasonFor(one) !== undefined),
  );
  if (held === undefined) return undefined;
  const write = call("cancel_reservation", { reservation_id: held.id });
  const drawn = onReservation(world, {
    held,
    intent: "cancel",
    trip: {},
    write,
  });
  return { drawn: [drawn], held, because: reasonFor(held) ?? "" };
}

/**
 * Returns a sentence with a reason for which policy allows cancelling a future reservation, or `undefined` if there is
 * no such reason.
 */
function reasonFor(
  { createdAt, cabin, insurance, legs }: Reservation,
): string | undefined {
  const age = Date.parse(`${NOW}Z`) - Date.parse(`${createdAt}Z`);
  if (age >= 0 && age <= DAY_MS) return "You booked it only today.";
  if (cabin === "business") return "Your plans have changed.";
  if (insurance === "yes") return "You are ill and cannot fly.";
  return legs.some(({ flight, date }) =>
      flight.days.get(date)?.status === "cancelled"
    )
    ? "The airline cancelled it."
    : undefined;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Checks whether a reservation has only future flights and was not cancelled. */
function isAhead({ legs, isCancelled }: Reservation): boolean {
  return !isCancelled && legs.length > 0 &&
    legs.every(({ date }) => date > TODAY);
}

/** Checks whether a reservation consists of a single direct flight or of one direct flight each way. */
function hasPlainLegs({ legs, from, to }: Reservation): boolean {
  const [out, back, more] = legs;
  return more === undefined && out?.flight.from === from &&
    out.flight.to === to &&
    (back === undefined || back.flight.from === to && back.flight.to === from);
}

function pickOf<T>({ rng }: AirlineWorld, list: readonly T[]): T | undefined {
  return list.length === 0 ? undefined : rng.pick(list);
}
