/** Draws the questions that airline users ask, each with its answer and the reads that provide it. */

import { call } from "../../shared/call.ts";
import { nameOf } from "../goal/request.ts";
import { reservationWords } from "../user/trip_words.ts";
import { directFlight, drawDate, PICKS } from "./choose_flights.ts";
import { CABINS, type DrawnTrip, onReservation, TODAY } from "./drawn.ts";
import { type AirlineWorld, drawReservation, type Passenger } from "./rows.ts";

/** Draws a question about the user's profile, a flight or a reservation. Returns `undefined` if the draw fails. */
export function drawQuestion(
  world: AirlineWorld,
  user: Passenger,
): DrawnTrip | undefined {
  switch (world.rng.int(4)) {
    case 0:
      return world.rng.int(2) === 0 ? ofBalance(user) : ofSaved(world, user);
    case 1:
      return ofFlight(world);
    default:
      return ofReservation(world, user);
  }
}

function ofBalance({ methods }: Passenger): DrawnTrip {
  const card = methods.find(({ source }) => source === "gift_card");
  return {
    request: { intent: "question", question: "balance of my gift card" },
    actions: [],
    outputs: [String(card?.amount ?? 0)],
  };
}

/** Draws a question about a saved passenger, or returns `undefined` if the drawn passenger's name is not unique. */
function ofSaved(
  { rng }: AirlineWorld,
  { saved }: Passenger,
): DrawnTrip | undefined {
  const one = rng.pick(saved);
  const isApart = saved.filter((other) => nameOf(other) === nameOf(one))
    .length === 1;
  return isApart
    ? {
      request: {
        intent: "question",
        question: `date of birth of my saved passenger ${nameOf(one)}`,
      },
      actions: [],
      outputs: [one.dob],
    }
    : undefined;
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
  user: Passenger,
): DrawnTrip | undefined {
  const wish = { cabins: CABINS, out: "available" } as const;
  const held = drawReservation(world, { user, wish });
  if (held === undefined) return undefined;
  const [first] = held.legs;
  const asked = [
    ["price paid for", String(held.total)],
    ["number of the first flight of", first?.flight.number ?? ""],
    ["date of the first flight of", first?.date ?? ""],
  ] as const;
  const [question, answer] = world.rng.pick(asked);
  const drawn = onReservation(world, { held, intent: "question", trip: {} });
  const words = reservationWords(drawn.request.trip ?? {});
  return {
    ...drawn,
    request: { ...drawn.request, question: `${question} ${words}` },
    outputs: [answer],
  };
}
