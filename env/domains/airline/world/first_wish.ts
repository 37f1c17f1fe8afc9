/** Draws the initial version of a request for users who change their mind when the agent reads the request back. */

import {
  type AirlineIntent,
  type AirlineRequest,
  nameOf,
  type Trip,
} from "../goal/request.ts";
import { dateOf, drawOtherDay, faresIn } from "./changes.ts";
import { CABINS } from "./drawn.ts";
import { type AirlineWorld, drawTraveller, type Reservation } from "./rows.ts";

/** The final version of a user's request. */
interface Wish {
  readonly intent: AirlineIntent;
  readonly trip: Trip;
  /** The reservation to change; `undefined` for a booking. */
  readonly held?: Reservation | undefined;
}

/** Draws an initial version that differs from the final version, or returns `undefined` if there is no alternative. */
export function drawFirstWish(
  world: AirlineWorld,
  wish: Wish,
): Pick<AirlineRequest, "before"> | undefined {
  const other = drawOther(world, wish);
  return other && { before: { trip: { ...wish.trip, ...other } } };
}

function drawOther(
  world: AirlineWorld,
  { intent, trip, held }: Wish,
): Trip | undefined {
  const { rng } = world;
  const { bags = 0, insurance } = trip;
  switch (intent) {
    case "book":
      return rng.int(2) === 0
        ? { bags: bags + 1 + rng.int(2) }
        : { insurance: insurance === "yes" ? "no" : "yes" };
    case "add_bags":
      return { bags: bags === 1 ? 2 : bags - 1 };
    case "change_passengers": {
      const fresh = drawTraveller(rng);
      const names = [...held?.passengers ?? [], ...trip.passengers ?? []];
      return names.some((one) => nameOf(one) === nameOf(fresh))
        ? undefined
        : { passengers: [fresh] };
    }
    case "change_cabin": {
      const cabin = CABINS.find((one) =>
        one !== held?.cabin && one !== trip.cabin
      );
      return held === undefined || cabin === undefined ||
          faresIn(held, cabin).includes(undefined)
        ? undefined
        : { cabin };
    }
    case "change_flights":
      return held && otherDay(world, { trip, held });
    default:
      return undefined;
  }
}

function otherDay(
  world: AirlineWorld,
  { trip, held }: { trip: Trip; held: Reservation },
): Trip | undefined {
  const other = drawOtherDay(world, held);
  const wanted = trip.date ?? trip.returnDate;
  if (other === undefined || other.leg.date === wanted) return undefined;
  const { leg, pick } = other;
  return {
    ...dateOf(held, leg.date),
    ...trip.flight === undefined ? { pick } : { flight: leg.flight.number },
  };
}
