/** Draws an airline task: first the kinds of its requests, then the requests, and finally the task that they form. */

import { call } from "../../shared/call.ts";
import {
  type AirlineGoal,
  type AirlineIntent,
  type AirlineRequest,
  nameOf,
} from "../goal/request.ts";
import type { Rng } from "../../../random.ts";
import type { Task } from "../../../types.ts";
import { airlineRequestWords } from "../user/trip_words.ts";
import {
  between,
  drawIntentsOf,
  drawManner,
  happens,
  taskOf,
  type TaskPlace,
} from "../../../generated/draw.ts";
import { goalProse } from "../../../generated/goal_prose.ts";
import type { DrawnTrip, RequestKind } from "./drawn.ts";
import type { AirlineOptions } from "./options.ts";
import { drawTrip } from "./requests.ts";
import { type AirlineWorld, drawReservation, type Passenger } from "./rows.ts";

/** Draws a task for `user`, or returns `undefined` if one of its requests cannot be drawn. */
export function drawAirlineTask(
  world: AirlineWorld,
  { user, kinds, place }: {
    user: Passenger;
    kinds: readonly RequestKind[];
    place: TaskPlace;
  },
): Task | undefined {
  const { rng, options } = world;
  const made = kinds.map((one) => drawRequest(world, { user, ...one }));
  if (made.includes(undefined)) return undefined;
  const drawn = made.flatMap(inOrder);
  const { identity, userId } = user;
  const goal: AirlineGoal = {
    identity,
    requests: drawn.map(({ request, outputs }) => ({
      ...request,
      ...outputs.length > 0 && { outputs },
    })),
    ...drawManner(rng, { split: place.split, options }),
  };
  return taskOf({
    place,
    userId,
    goal,
    instruction: airlineInstruction(goal, user),
    first: call("get_user_details", { user_id: userId }),
    drawn,
  });
}

/** The number of failed draws after which the kind of a request may change. Its intent stays the same. */
const PERSISTENCE = 60;

/** The number of failed draws after which another user is drawn. */
const MAX_DRAWS = 100;

/**
 * Draws a request of the predetermined kind or, if that keeps failing, of another kind with the same intent. Returns
 * `undefined` if all draws fail.
 */
function drawRequest(
  world: AirlineWorld,
  of: RequestKind & { readonly user: Passenger },
): DrawnTrip | undefined {
  const { user: { reservations, methods } } = of;
  const grown = [world.people, reservations, methods] as const;
  const before = grown.map(({ length }) => length);
  for (let i = 0; i < MAX_DRAWS; i++) {
    const wanted = i < PERSISTENCE ? of : redrawn(of, world.rng);
    const drawn = drawTrip(world, wanted);
    if (drawn !== undefined) return drawn;
    // A failed draw must not leave rows behind.
    for (const [j, list] of grown.entries()) list.length = before[j] ?? 0;
  }
  return undefined;
}

function redrawn<S extends RequestKind>(kind: S, rng: Rng): S {
  const { refusal } = kind;
  return {
    ...kind,
    ...refusal && { refusal: { ...refusal, clause: rng.next() } },
    rethinks: false,
    isLate: false,
  };
}

/** Returns a request followed by the requests that result from it, in order. */
function inOrder(drawn: DrawnTrip | undefined): DrawnTrip[] {
  return drawn === undefined ? [] : [drawn, ...inOrder(drawn.then)];
}

/** Returns the goal in prose, as the instruction for a model that plays the user. */
function airlineInstruction(
  goal: AirlineGoal,
  { userId, self }: Passenger,
): string {
  const who = `You are ${
    nameOf(self)
  }, born on ${self.dob}, and your user id is ${userId}.`;
  return goalProse(goal, { who, wish });
}

/** Phrases a request differently from the scripted user, so that a model that plays the user cannot recite it. */
function wish(request: AirlineRequest): string {
  const told = { ...request, forthcoming: true };
  const words = airlineRequestWords(told, { isBackwards: true })
    .replaceAll(/\bmy\b/g, "your");
  return request.intent === "question" ? `know the ${words}` : words;
}

/**
 * Draws the kinds of a task's requests. A task has one request, or two requests with different intents. Intents are
 * drawn by weight.
 */
export function drawRequestKinds(
  rng: Rng,
  options: AirlineOptions,
): RequestKind[] {
  return drawIntentsOf<AirlineIntent>(rng, options).map((intent) => {
    const isRefused = intent !== "question" &&
      happens(rng, options.refusedShare);
    const isOther = isRefused && happens(rng, options.otherAccountShare);
    return {
      intent,
      ...isRefused && { refusal: { isOther, clause: rng.next() } },
      rethinks: happens(rng, options.changeOfMindShare),
      isLate: happens(rng, options.delayShare),
    };
  });
}

/** Gives a user additional reservations that no task is about. */
export function addExtras(world: AirlineWorld, user: Passenger): void {
  const { rng, options } = world;
  const { extraReservationsMin: min, extraReservationsMax: max } = options;
  const wanted = user.reservations.length + between(rng, min, max);
  for (let i = 0; i < 20 && user.reservations.length < wanted; i++) {
    drawReservation(world, {
      user,
      wish: {
        cabins: ["basic_economy", "economy", "business"],
        out: rng.pick(["available", "landed"]),
      },
    });
  }
}
