/** Draws tasks about the rows of an existing airline database. */

import {
  drawWishesOf,
  Ids,
  pickWeighted,
  taskOf,
} from "../../../generated/draw.ts";
import { writeInstruction } from "../../../generated/instruction.ts";
import type { RowOptions } from "../../../generated/row_options.ts";
import type { RowTasksPart } from "../../../generated/row_tasks.ts";
import type { BatchPlace } from "../../../generated/world.ts";
import type { Rng } from "../../../random.ts";
import type { Task } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import type { AirlineGoal, AirlineIntent } from "../goal/request.ts";
import type { DrawnTrip } from "../world/drawn.ts";
import { airlineOptionsSchema } from "../world/options.ts";
import type { AirlineWorld, Passenger } from "../world/rows.ts";
import { type AirlineSource, readAirline } from "./airline_source.ts";
import { tripClause } from "./trip_clauses.ts";
import {
  drawInstead,
  drawTripQuestion,
  drawTripWish,
  type TripWish,
} from "./trip_wishes.ts";

/** The relative frequency of each kind of request. */
const INTENTS: ReadonlyMap<AirlineIntent, number> = new Map([
  ["book", 3],
  ["cancel", 3],
  ["change_flights", 3],
  ["change_cabin", 2],
  ["change_passengers", 1],
  ["add_bags", 2],
]);

/** The `rowTasks` part of the airline domain, which draws tasks about the rows of an existing database. */
export const airlineRowTasks: RowTasksPart = {
  version: 1,
  open({ database, isHeldOut, options }) {
    const source = readAirline(database, isHeldOut);
    return (place, rng) => drawTask(source, { place, rng, options });
  },
};

function drawTask(
  { routes, users }: AirlineSource,
  { place, rng, options }: {
    place: BatchPlace;
    rng: Rng;
    options: RowOptions;
  },
): Task | undefined {
  const world: AirlineWorld = {
    rng,
    ids: new Ids(),
    options: {
      ...airlineOptionsSchema.parse({}),
      reservationStatedShare: options.idStatedShare,
      detailsStatedShare: 1,
      passengersMax: 3,
    },
    routes,
    people: [...users],
  };
  const user = rng.pick(users);
  const wishes = drawWishesOf(rng, {
    share: options.severalShare,
    draw: (before: readonly TripWish[]) =>
      drawNext(world, { user, before, options }),
  });
  if (wishes.length === 0) return undefined;
  const drawn = wishes.flatMap((wish) => wish.drawn);
  const { identity, userId } = user;
  const goal: AirlineGoal = {
    identity,
    requests: drawn.map(({ request }) => request),
  };
  const { count: _, ...at } = place;
  return taskOf({
    place: at,
    userId,
    goal,
    instruction: writeInstruction(rng, {
      who: whoWords(rng, user),
      wishes: wishes.map((wish) => worded(rng, wish)),
    }),
    first: call("get_user_details", { user_id: userId }),
    drawn,
  });
}

/**
 * Draws the next request of a task, or returns `undefined` if the draw fails. No two requests of a task concern the
 * same reservation, unless they are part of the same {@linkcode TripWish}.
 */
function drawNext(
  world: AirlineWorld,
  { user, before, options }: {
    user: Passenger;
    before: readonly TripWish[];
    options: RowOptions;
  },
): TripWish | undefined {
  const { rng } = world;
  const used = new Set(before.map(({ held }) => held));
  const open = user.reservations.filter((one) =>
    !used.has(one) && one.from !== one.to
  );
  const kind = rng.next();
  if (kind < options.questionShare) {
    return drawTripQuestion(world, user);
  }
  if (kind < options.questionShare + options.conditionShare) {
    return drawInstead(world, { user, open });
  }
  const intent = pickWeighted(rng, INTENTS);
  if (intent === "book" && before.some(isBooking)) return undefined;
  return drawTripWish(world, { user, intent, open });
}

/**
 * Checks whether the drawn requests include a booking. A task has at most one booking, because booking ids depend on
 * the order of bookings.
 */
function isBooking({ drawn }: TripWish): boolean {
  return drawn.some(({ request }) => request.intent === "book");
}

function whoWords(rng: Rng, { userId, self }: Passenger): string {
  const name = `${self.firstName} ${self.lastName}`;
  return rng.pick([
    `Your user id is ${userId}.`,
    `Your user id is ${userId} and your name is ${name}.`,
    `You are ${name} (user id is ${userId}).`,
  ]);
}

function worded(rng: Rng, { drawn, because }: TripWish) {
  const clauses = drawn.map(({ request }: DrawnTrip) =>
    tripClause(rng, request)
  );
  const [first = "", then] = clauses;
  return {
    clause: first,
    ...because !== undefined && { before: because },
    isQuestion: drawn[0]?.request.intent === "question",
    after: then === undefined
      ? []
      : [`If that is not possible, you want to ${then}.`],
  };
}
