/** Draws the requests of airline users, each with its gold actions and expected outputs. */

import { bookingRequest, drawBooking } from "./bookings.ts";
import { drawChange } from "./changes.ts";
import { type DrawnTrip, onReservation, type RequestKind } from "./drawn.ts";
import { drawCancel, drawCertificate, drawDelay } from "./lost_flights.ts";
import { drawFirstWish } from "./first_wish.ts";
import { drawQuestion } from "./questions.ts";
import { drawRefused } from "./refusals.ts";
import { cabinsFor } from "./refused_changes.ts";
import {
  type AirlineWorld,
  drawReservation,
  type Passenger,
  type Reservation,
} from "./rows.ts";

/** The kind of request to draw, and the user who makes it. */
type Wanted = RequestKind & { readonly user: Passenger };

/** Draws a request and, if needed, the reservation that it concerns. Returns `undefined` if the draw fails. */
export function drawTrip(
  world: AirlineWorld,
  of: Wanted,
): DrawnTrip | undefined {
  const { user, intent, refusal, isLate } = of;
  if (refusal !== undefined) return drawRefused(world, of, refusal);
  switch (intent) {
    case "question":
      return drawQuestion(world, user);
    case "cancel":
      return drawCancel(world, user);
    case "certificate":
      return isLate ? drawDelay(world, user) : drawCertificate(world, user);
    case "book": {
      const booking = drawBooking(world, user);
      return booking && rethought(world, {
        drawn: bookingRequest(world, booking),
        of,
      });
    }
    default:
      return drawAllowedChange(world, of);
  }
}

function drawAllowedChange(
  world: AirlineWorld,
  of: Wanted,
): DrawnTrip | undefined {
  const { user, intent } = of;
  const wish = { cabins: cabinsFor(intent), out: "available" } as const;
  const held = drawReservation(world, { user, wish });
  const change = held && drawChange(world, { user, intent, held });
  if (held === undefined || change === undefined) return undefined;
  const drawn = onReservation(world, { held, intent, ...change });
  return rethought(world, { drawn, of, held });
}

/**
 * Returns the request, with an initial version added if the user changes their mind, or `undefined` if no such version
 * can be drawn.
 */
function rethought(
  world: AirlineWorld,
  { drawn, of: { intent, rethinks }, held }: {
    drawn: DrawnTrip;
    of: Wanted;
    held?: Reservation;
  },
): DrawnTrip | undefined {
  if (!rethinks) return drawn;
  const { request } = drawn;
  const { trip = {} } = request;
  const first = drawFirstWish(world, { intent, trip, held });
  return first && { ...drawn, request: { ...request, ...first } };
}
