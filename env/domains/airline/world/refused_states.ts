/** Draws cancellations and requests for certificates that policy refuses. */

import type { AirlineIntent } from "../goal/request.ts";
import {
  CABINS,
  ECONOMIES,
  nameOfReservation,
  onReservation,
  type UserIntent,
} from "./drawn.ts";
import { drawCertificate } from "./lost_flights.ts";
import { firstFlight, insteadOf } from "./refused_changes.ts";
import type { DrawRefused, RefusedRequest } from "./refusals.ts";
import {
  type AirlineWorld,
  drawPassenger,
  drawReservation,
  type ReservationWish,
} from "./rows.ts";

/** The functions that draw refused requests, by intent and by the clause that refuses them. */
export const REFUSED_STATES = {
  cancel: {
    "account.own_reservation": cancelOfStranger,
    "cancel.allowed": cancelTooLate,
    "cancel.not_flown": cancelFlown,
  },
  certificate: {
    "account.own_profile": certificateForStranger,
    "certificate.eligible": undueCertificate,
  },
} satisfies Partial<Record<AirlineIntent, Record<string, DrawRefused>>>;

function cancelOfStranger(
  world: AirlineWorld,
  { user, intent }: UserIntent,
): RefusedRequest | undefined {
  const wish = { cabins: CABINS, out: "available" } as const;
  const held = drawReservation(world, { user: drawPassenger(world), wish });
  const named = { reservationId: held?.id ?? "" };
  return held && {
    drawn: onReservation(world, { held, intent, trip: {} }, named),
    output: user.userId,
  };
}

function cancelTooLate(
  world: AirlineWorld,
  of: UserIntent,
): RefusedRequest | undefined {
  const { user, intent } = of;
  const wish: ReservationWish = {
    cabins: ECONOMIES,
    out: "available",
    insurance: "no",
  };
  const held = drawReservation(world, { user, wish });
  if (held === undefined) return undefined;
  const named = nameOfReservation(world, held);
  return {
    drawn: onReservation(world, { held, intent, trip: {} }, named),
    output: held.createdAt,
    instead: insteadOf(world, { ...of, held, named }),
  };
}

function cancelFlown(
  world: AirlineWorld,
  { user, intent }: UserIntent,
): RefusedRequest | undefined {
  const wish = { cabins: CABINS, out: "landed" } as const;
  const held = drawReservation(world, { user, wish });
  return held && {
    drawn: onReservation(world, { held, intent, trip: {} }),
    output: firstFlight(held),
  };
}

/** Draws a request for a certificate that is due to the user but is to be issued to another user. */
function certificateForStranger(
  world: AirlineWorld,
  { user }: UserIntent,
): RefusedRequest | undefined {
  const own = drawCertificate(world, user);
  if (own?.request.trip === undefined) return undefined;
  const trip = { ...own.request.trip, account: drawPassenger(world).userId };
  return {
    drawn: {
      ...own,
      request: { ...own.request, trip },
      actions: own.actions.filter(({ name }) => !name.startsWith("search_")),
    },
    output: user.userId,
    instead: own,
  };
}

/**
 * Draws a request for a certificate that is not due: no flight was cancelled, or the reservation is not eligible. A
 * delay alone is not enough.
 */
function undueCertificate(
  world: AirlineWorld,
  { user, intent }: UserIntent,
): RefusedRequest | undefined {
  const wishes: ReservationWish[] = [
    { cabins: CABINS, out: "available" },
    { cabins: CABINS, out: "delayed" },
  ];
  if (user.membership === "regular") {
    wishes.push({ cabins: ECONOMIES, out: "cancelled", insurance: "no" });
  }
  const wish = world.rng.pick(wishes);
  const held = drawReservation(world, { user, wish });
  if (held === undefined) return undefined;
  const isLate = wish.out === "delayed";
  const trip = isLate ? { delayed: true as const } : {};
  const searched = isLate ? [] : held.legs;
  return {
    drawn: onReservation(world, { held, intent, trip, searched }),
    output: held.createdAt,
  };
}
