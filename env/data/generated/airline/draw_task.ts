/**
 * Draws a whole airline task: its intents, their requests, and the task that they make.
 *
 * @module
 */

import { call } from "../../../airline/goal/fares.ts";
import type { Rng } from "../../../random.ts";
import type { Goal, Split, Task } from "../../../types.ts";
import { airlineRequestWords } from "../../../users/_airline_words.ts";
import { between } from "../draw.ts";
import type { AirlineOptions } from "./options.ts";
import { type DrawnIntent, drawTrip } from "./requests.ts";
import { type AirlineWorld, drawReservation, type Passenger } from "./rows.ts";

/** A task of `customer`; `undefined` where a draw came to nothing. */
export function drawAirlineTask(
  world: AirlineWorld,
  { customer, intents, place }: {
    customer: Passenger;
    intents: readonly DrawnIntent[];
    place: { readonly split: Split; readonly index: number };
  },
): Task | undefined {
  const drawn = intents.map((intent) => drawTrip(world, { customer, intent }))
    .filter((one) => one !== undefined);
  if (drawn.length < intents.length) return undefined;
  const { identity, userId } = customer;
  const requests = drawn.map(({ request, outputs }) => ({
    ...request,
    ...outputs.length > 0 && { outputs },
  }));
  const goal: Goal = { identity, requests, wording: world.options.wording };
  return {
    id: `airline/${place.split}/${place.index}`,
    domain: "airline",
    ...place,
    userId,
    instruction: airlineInstruction(goal, userId),
    actions: [
      call("get_user_details", { user_id: userId }),
      ...drawn.flatMap(({ actions }) => actions),
    ],
    outputs: drawn.flatMap(({ outputs }) => outputs),
    intent: requests.map(({ intent, refused }) =>
      refused ? `${intent} (refused)` : intent
    ).join("+"),
    goal,
  };
}

/** The goal in prose, for users who are told what to play. */
function airlineInstruction(goal: Goal, userId: string): string {
  const { firstName, lastName } = goal.identity;
  const wants = goal.requests.map((request, i) => {
    const start = i === 0 ? "You want to" : "When that is settled, you want to";
    const what = airlineRequestWords({ ...request, forthcoming: true }, {
      isBackwards: true,
    });
    const verb = request.intent === "question" ? "know the " : "";
    const kind = request.intent !== "book"
      ? ""
      : request.trip?.returnDate === undefined
      ? " (a one_way trip)"
      : " (a round_trip)";
    return `${start} ${verb}${what.replaceAll(/\bmy\b/g, "your")}${kind}.`;
  });
  const kept = goal.requests.some(({ forthcoming }) => forthcoming === false)
    ? " You give details only when you are asked for them."
    : "";
  return `You are ${firstName} ${lastName}, and your user id is ${userId}. ${
    wants.join(" ")
  }${kept}`;
}

/** One intent by weight, or two different ones. */
export function drawAirlineIntents(
  rng: Rng,
  options: AirlineOptions,
): DrawnIntent[] {
  const weights = new Map(
    Object.entries(options.intents) as [DrawnIntent, number][],
  );
  const first = pickWeighted(rng, weights);
  weights.delete(first);
  const more = weights.values().some((weight) => weight > 0);
  return more && rng.next() < options.twoIntentShare
    ? [first, pickWeighted(rng, weights)]
    : [first];
}

function pickWeighted(
  rng: Rng,
  weights: ReadonlyMap<DrawnIntent, number>,
): DrawnIntent {
  const drawable = [...weights].filter(([, weight]) => weight > 0);
  let left = rng.next() * drawable.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [intent, weight] of drawable) {
    left -= weight;
    if (left < 0) return intent;
  }
  return rng.pick(drawable)[0];
}

/** Reservations that no task is about. */
export function addExtras(world: AirlineWorld, customer: Passenger): void {
  const { rng, options } = world;
  const { extraReservationsMin: min, extraReservationsMax: max } = options;
  const wanted = customer.reservations.length + between(rng, min, max);
  for (let i = 0; i < 20 && customer.reservations.length < wanted; i++) {
    drawReservation(world, {
      customer,
      wish: {
        cabins: ["basic_economy", "economy", "business"],
        out: rng.pick(["available", "landed"]),
      },
    });
  }
}
