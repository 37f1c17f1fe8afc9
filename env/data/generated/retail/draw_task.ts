/**
 * Draws a whole task: its intents, their requests, and the task that they make.
 *
 * @module
 */

import { printPythonJson } from "../../../python_json.ts";
import type { Rng } from "../../../random.ts";
import type { Intent, Split, Task, ToolAction, Voice } from "../../../types.ts";
import { call, type World } from "./details.ts";
import type { GeneratedOptions } from "./options.ts";
import { instructionOf } from "./prose.ts";
import { drawRequest, freshProducts } from "./requests.ts";
import { between, type Customer, drawOrder } from "./rows.ts";

/** A task of `customer`; `undefined` where a draw came to nothing. */
export function drawTask(
  world: World,
  { customer, intents, place }: {
    customer: Customer;
    intents: readonly Intent[];
    place: { readonly split: Split; readonly index: number };
  },
): Task | undefined {
  const made = intents.map((intent) => drawRequest(world, { customer, intent }))
    .filter((one) => one !== undefined);
  if (made.length < intents.length) return undefined;
  const drawn = made.flatMap((one) =>
    one.fallback === undefined ? [one] : [one, one.fallback]
  );
  const { identity } = customer;
  const requests = drawn.map(({ request }) => request);
  const voice = drawVoice(world);
  const goal = {
    identity,
    requests,
    wording: world.options.wording,
    ...(voice === "plain" ? {} : { voice }),
    ...(world.options.holdOutPhrasings
      ? { phrasings: phrasingsOf(place.split) }
      : {}),
  };
  return {
    id: `retail/${place.split}/${place.index}`,
    domain: "retail",
    ...place,
    userId: customer.userId,
    instruction: instructionOf(goal),
    actions: once([
      findUser(identity),
      ...drawn.flatMap(({ actions }) => actions),
    ]),
    outputs: drawn.flatMap(({ outputs }) => outputs),
    intent: requests.map(({ intent, refused }) =>
      refused ? `${intent} (refused)` : intent
    ).join("+"),
    goal,
  };
}

/** Without reads that have been made already: what they show is known. */
function once(actions: readonly ToolAction[]): ToolAction[] {
  const made = new Set<string>();
  return actions.filter(({ name, arguments: args }) => {
    const key = name + printPythonJson(args);
    const isKnown = name.startsWith("get_") && made.has(key);
    made.add(key);
    return !isKnown;
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

function phrasingsOf(split: Split): "train" | "held_out" {
  return split === "train" ? "train" : "held_out";
}

/** A voice by weight; nothing is drawn where all are plain, so that worlds without voices stay as they are. */
function drawVoice({ rng, options: { voices } }: World): Voice {
  const weights = new Map(Object.entries(voices)) as Map<Voice, number>;
  const others = weights.entries().some(([voice, weight]) =>
    voice !== "plain" && weight > 0
  );
  return others ? pickWeighted(rng, weights) : "plain";
}

/** One intent by weight, or two different ones. */
export function drawIntents(rng: Rng, options: GeneratedOptions): Intent[] {
  const weights = new Map(Object.entries(options.intents)) as Map<
    Intent,
    number
  >;
  const first = pickWeighted(rng, weights);
  weights.delete(first);
  const more = weights.values().some((weight) => weight > 0);
  return more && rng.next() < options.twoIntentShare
    ? [first, pickWeighted(rng, weights)]
    : [first];
}

function pickWeighted<T>(rng: Rng, weights: ReadonlyMap<T, number>): T {
  const total = weights.values().reduce((sum, weight) => sum + weight, 0);
  let left = rng.next() * total;
  const drawable = [...weights].filter(([, weight]) => weight > 0);
  for (const [intent, weight] of drawable) {
    left -= weight;
    if (left < 0) return intent;
  }
  return rng.pick(drawable)[0];
}

/** Orders that no task is about. */
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
