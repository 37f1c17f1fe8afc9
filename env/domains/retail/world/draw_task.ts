/** Draws complete retail tasks: intents, a request for each intent, and the task composed from them. */

import { call } from "../../shared/call.ts";
import type { Intent, RetailGoal } from "../goal/request.ts";
import type { Rng } from "../../../random.ts";
import type { Task } from "../../../types.ts";
import {
  between,
  drawIntentsOf,
  drawManner,
  taskOf,
  type TaskPlace,
} from "../../../generated/draw.ts";
import type { World } from "./details.ts";
import { freshProducts } from "./drawn_request.ts";
import type { RetailOptions } from "./options.ts";
import { instructionOf } from "./prose.ts";
import { drawRequest } from "./requests.ts";
import { type Customer, drawOrder } from "./rows.ts";

/** Draws a task for a user, or returns `undefined` if one of its requests cannot be drawn. */
export function drawTask(
  world: World,
  { customer, intents, place }: {
    customer: Customer;
    intents: readonly Intent[];
    place: TaskPlace;
  },
): Task | undefined {
  const made = intents.map((intent) => drawRequest(world, { customer, intent }))
    .filter((one) => one !== undefined);
  if (made.length < intents.length) return undefined;
  const drawn = made.flatMap((one) =>
    one.fallback === undefined ? [one] : [one, one.fallback]
  );
  const { identity, userId } = customer;
  const { rng, options } = world;
  const goal: RetailGoal = {
    identity,
    requests: drawn.map(({ request }) => request),
    ...drawManner(rng, { split: place.split, options }),
  };
  return taskOf({
    place,
    userId,
    goal,
    instruction: instructionOf(goal),
    first: findUser(identity),
    drawn,
  });
}

function findUser(identity: Customer["identity"]) {
  return identity.prefers === "email"
    ? call("find_user_id_by_email", { email: identity.email })
    : call("find_user_id_by_name_zip", {
      first_name: identity.firstName,
      last_name: identity.lastName,
      zip: identity.zip,
    });
}

/** Draws one intent by weight, or two different intents. */
export function drawIntents(rng: Rng, options: RetailOptions): Intent[] {
  return drawIntentsOf<Intent>(rng, options);
}

/** Draws additional orders for a user. None of the user's tasks is about these orders. */
export function addExtraOrders(world: World, customer: Customer): void {
  const { rng, options } = world;
  const count = between(rng, options.extraOrdersMin, options.extraOrdersMax);
  for (let i = 0; i < count; i++) {
    drawOrder(world, {
      customer,
      status: rng.pick(["pending", "processed", "delivered"]),
      products: freshProducts(world, customer),
    });
  }
}
