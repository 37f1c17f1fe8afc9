/**
 * Draws what customers want to know.
 *
 * @module
 */

import { call } from "../../../airline/goal/fares.ts";
import { reservationWords } from "../../../users/_airline_words.ts";
import { directFlight, drawDate, PICKS } from "./choose_flights.ts";
import { CABINS, type DrawnTrip, onReservation, TODAY } from "./drawn.ts";
import { type AirlineWorld, drawReservation, type Passenger } from "./rows.ts";

/** Draws a question; `undefined` where the draw came to nothing. */
export function drawQuestion(
  world: AirlineWorld,
  customer: Passenger,
): DrawnTrip | undefined {
  const kind = world.rng.int(4);
  if (kind === 0) return ofBalance(customer);
  return kind === 1
    ? ofFlight(world)
    : ofReservation(world, { customer, isPrice: kind === 2 });
}

function ofBalance({ methods }: Passenger): DrawnTrip {
  const card = methods.find(({ source }) => source === "gift_card");
  return {
    request: { intent: "question", question: "balance of my gift card" },
    actions: [],
    outputs: [String(card?.amount ?? 0)],
  };
}

function ofFlight(world: AirlineWorld): DrawnTrip | undefined {
  const { rng, routes } = world;
  const [from = "", to = ""] = rng.pick([...routes.keys()]).split("-");
  const cabin = rng.pick(CABINS);
  const pick = rng.pick(PICKS);
  const date = drawDate(world, { after: TODAY }) ?? "";
  const leg = directFlight(world, { from, to, date, pick, cabin, seats: 1 });
  if (leg === undefined) return undefined;
  return {
    request: {
      intent: "question",
      trip: { from, to, date, pick, cabin },
      question:
        `number of the ${pick} direct flight from ${from} to ${to} on ${date} with a free ${
          cabin.replace("_", " ")
        } seat`,
    },
    actions: [
      call("search_direct_flight", { origin: from, destination: to, date }),
    ],
    outputs: [leg.flight.number],
  };
}

function ofReservation(
  world: AirlineWorld,
  { customer, isPrice }: { customer: Passenger; isPrice: boolean },
): DrawnTrip | undefined {
  const wish = { cabins: CABINS, out: "available" } as const;
  const held = drawReservation(world, { customer, wish });
  if (held === undefined) return undefined;
  const drawn = onReservation(world, { held, intent: "question", trip: {} });
  const words = reservationWords(drawn.request.trip ?? {});
  const asked = isPrice ? "price paid for" : "number of the first flight of";
  const first = held.legs[0]?.flight.number ?? "";
  return {
    ...drawn,
    request: { ...drawn.request, question: `${asked} ${words}` },
    outputs: [isPrice ? String(held.total) : first],
  };
}
