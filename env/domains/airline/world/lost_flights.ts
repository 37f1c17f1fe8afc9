/**
 * Draws cancellations that policy allows, and requests for certificates that are due for cancelled or delayed flights.
 */

import { call } from "../../shared/call.ts";
import { drawChange } from "./changes.ts";
import {
  CABINS,
  type DrawnTrip,
  ECONOMIES,
  nameOfReservation,
  onReservation,
} from "./drawn.ts";
import {
  type AirlineWorld,
  drawReservation,
  type Passenger,
  type Reservation,
  type ReservationWish,
} from "./rows.ts";

/** The kinds of reservations that policy allows users to cancel. */
const CANCELLABLE: readonly ReservationWish[] = [
  { cabins: ECONOMIES, out: "available", insurance: "no", isFresh: true },
  { cabins: ["business"], out: "available", insurance: "no" },
  { cabins: ECONOMIES, out: "available", insurance: "yes" },
  { cabins: ECONOMIES, out: "cancelled", insurance: "no" },
];

/** Draws a cancellation that policy allows, or returns `undefined` if the draw fails. */
export function drawCancel(
  world: AirlineWorld,
  user: Passenger,
): DrawnTrip | undefined {
  const wish = world.rng.pick(CANCELLABLE);
  const held = drawReservation(world, { user, wish });
  if (held === undefined) return undefined;
  const isLost = wish.out === "cancelled";
  const searched = isLost ? held.legs : [];
  const drawn = onReservation(world, { ...cancelOf(held), searched });
  const lost = isLost ? { reason: "the airline cancelled a flight" } : {};
  return { ...drawn, request: { ...drawn.request, ...lost } };
}

function cancelOf(held: Reservation) {
  const write = call("cancel_reservation", { reservation_id: held.id });
  return { held, intent: "cancel", trip: {}, write } as const;
}

/**
 * Draws a request for the certificate that is due for a flight that the airline cancelled, or returns `undefined` if
 * the draw fails.
 */
export function drawCertificate(
  world: AirlineWorld,
  user: Passenger,
): DrawnTrip | undefined {
  const wish: ReservationWish = user.membership === "regular"
    ? { cabins: ["business"], out: "cancelled" }
    : { cabins: CABINS, out: "cancelled", insurance: "no" };
  const held = drawReservation(world, { user, wish });
  if (held === undefined) return undefined;
  const write = certificateOf(user, { held, each: 100 });
  return onReservation(world, {
    held,
    intent: "certificate",
    trip: {},
    write,
    searched: held.legs,
  });
}

/**
 * Draws two requests about a reservation with a flight that is delayed today. The first is a cancellation or a change
 * of the return flight; the second asks for the certificate that is due for the delay. Returns `undefined` if the draw
 * fails.
 */
export function drawDelay(
  world: AirlineWorld,
  user: Passenger,
): DrawnTrip | undefined {
  const isCancel = world.rng.int(2) === 0;
  const held = drawReservation(world, {
    user,
    wish: {
      cabins: isCancel ? CABINS : ["economy", "business"],
      out: "delayed",
      insurance: "yes",
    },
  });
  const intent = "change_flights" as const;
  // The delayed flight itself is not moved: without it, the reservation would not show the delay.
  if (!isCancel && held?.legs.length === 1) return undefined;
  const change = held &&
    (isCancel ? cancelOf(held) : drawChange(world, { user, intent, held }));
  if (held === undefined || change === undefined) return undefined;
  const named = nameOfReservation(world, held);
  const write = certificateOf(user, { held, each: 50 });
  const trip = { delayed: true as const };
  return {
    ...onReservation(world, { held, intent, ...change }, named),
    then: onReservation(world, {
      held,
      intent: "certificate",
      trip,
      write,
    }, named),
  };
}

function certificateOf(
  { userId }: Passenger,
  { held, each }: { held: Reservation; each: number },
) {
  const amount = each * held.passengers.length;
  return call("send_certificate", { user_id: userId, amount });
}
