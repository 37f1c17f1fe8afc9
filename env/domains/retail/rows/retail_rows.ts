/** Draws tasks about the rows of an existing retail database. */

import {
  drawWishesOf,
  pickWeighted,
  withoutRepeatedReads,
} from "../../../generated/draw.ts";
import {
  personaWords,
  writeInstruction,
} from "../../../generated/instruction.ts";
import type { RowTasksPart } from "../../../generated/row_tasks.ts";
import type { BatchPlace } from "../../../generated/world.ts";
import type { Database } from "../../../database.ts";
import type { Task } from "../../../types.ts";
import { isWrite } from "../../../audit/finding.ts";
import { call } from "../../shared/call.ts";
import { needsWrite } from "../../shared/goal/goal.ts";
import type { Intent, RetailGoal, RetailRequest } from "../goal/request.ts";
import { retailBenchGoal } from "../user/bench_goal.ts";
import { askRefund, drawQuestion } from "./questions.ts";
import { drawConditional } from "./fallbacks.ts";
import { type Order, storeOf, type StoreUser } from "./store.ts";
import type { Draw, Wish } from "./wish.ts";
import { cancelAllWish, drawWrite, userAddressWish } from "./writes.ts";

/** The probability that the user asks for the total refund, if {@linkcode askRefund} can add this question. */
const REFUND_ASKED = 0.3;

/** The relative frequency of each kind of write request. */
const INTENTS: ReadonlyMap<Intent, number> = new Map([
  ["cancel", 2],
  ["return", 3],
  ["exchange", 3],
  ["modify_items", 3],
  ["modify_address", 2],
  ["modify_payment", 1],
  ["user_address", 1],
]);

/** The order status that each intent requires. */
const WANTED: Partial<Record<Intent, string>> = {
  cancel: "pending",
  modify_items: "pending",
  modify_address: "pending",
  modify_payment: "pending",
  return: "delivered",
  exchange: "delivered",
};

/** The `rowTasks` part of the retail domain, which draws tasks about the rows of an existing database. */
export const retailRowTasks: RowTasksPart = {
  version: 2,
  open({ database, isHeldOut, options }) {
    const store = storeOf(database, isHeldOut);
    return (place, rng) =>
      drawTask({ rng, store, options }, { place, database });
  },
};

function drawTask(
  draw: Draw,
  { place, database }: { place: BatchPlace; database: Database },
): Task | undefined {
  const drawn = drawWishes(draw);
  if (drawn === undefined) return undefined;
  const { person, wishes } = drawn;
  const { city, zip } = person.address;
  const who = personaWords(draw.rng, { ...person, city, zip });
  const instruction = writeInstruction(draw.rng, {
    who,
    wishes: wishes.map((wish) => ({
      ...wish,
      isQuestion: wish.intent === "question",
    })),
  });
  const { count: _, ...at } = place;
  const isByEmail = instruction.includes(person.email);
  const task: Task = {
    id: `${place.domain}/${place.split}/${place.index}`,
    ...at,
    userId: person.userId,
    instruction,
    actions: withoutRepeatedReads([
      isByEmail
        ? call("find_user_id_by_email", { email: person.email })
        : call("find_user_id_by_name_zip", {
          first_name: person.firstName,
          last_name: person.lastName,
          zip,
        }),
      ...wishes.flatMap(({ actions }) => actions),
    ]),
    outputs: wishes.flatMap(({ outputs }) => outputs),
    intent: wishes.map(({ intent, refused }) =>
      refused === undefined ? intent : `${intent} (fallback)`
    ).join("+"),
  };
  return { ...task, goal: goalOf(task, { wishes, database }) };
}

/**
 * Returns the goal of a task's user: the requests derived from the gold actions, the refused requests and the
 * questions.
 */
function goalOf(
  task: Task,
  { wishes, database }: { wishes: readonly Wish[]; database: Database },
): RetailGoal {
  const { goal } = retailBenchGoal(task, database);
  const writes = (goal.requests as readonly RetailRequest[]).filter(needsWrite);
  const requests = wishes.flatMap(({ actions, refused, question, words }) => {
    const own = writes.splice(0, actions.filter(isWrite).length).map((one) => ({
      ...one,
      ...words,
      ...refused && { fallback: true },
    }));
    return [refused, ...own, question].filter((one) => one !== undefined);
  });
  return { identity: goal.identity, requests };
}

/**
 * Draws a user and requests that can all be fulfilled one after another; see {@linkcode canFollow}. Returns `undefined`
 * if the first draw fails.
 */
function drawWishes(
  draw: Draw,
): { person: StoreUser; wishes: readonly Wish[] } | undefined {
  const { rng, options: { severalShare: share } } = draw;
  const first = drawFirst(draw);
  if (first === undefined) return undefined;
  const { person } = first;
  const wishes = drawWishesOf(rng, {
    share,
    draw: (before: readonly Wish[]) =>
      before.length === 0 ? first.wish : drawNext(draw, { person, before }),
  });
  const all = rng.next() < REFUND_ASKED ? askRefund(draw, wishes) : wishes;
  return { person, wishes: all };
}

/**
 * A kind of request. Its order may have any status in `statuses`, which is empty if the request is not about an order.
 */
interface Kind {
  readonly statuses: readonly string[];
  readonly intent: Intent;
  draw(of: { person: StoreUser; order: Order | undefined }): Wish | undefined;
}

function drawKind(draw: Draw): Kind {
  const { rng, options } = draw;
  const intent = pickWeighted(rng, INTENTS);
  let kind = rng.next();
  if ((kind -= options.questionShare) < 0) {
    return {
      statuses: ALL_STATUSES,
      intent: "question",
      draw: (of) => drawQuestion(draw, of),
    };
  }
  if (intent === "user_address") {
    return {
      statuses: [],
      intent,
      draw: ({ person }) => userAddressWish(draw, person),
    };
  }
  if ((kind -= options.conditionShare) < 0) {
    return {
      statuses: ["pending", "delivered"],
      intent,
      draw: ({ order }) => order && drawConditional(draw, order),
    };
  }
  return {
    statuses: [WANTED[intent] ?? ""],
    intent,
    draw: ({ order }) => order && drawWrite(draw, { intent, order }),
  };
}

/** Draws the first request of a task, and the user who makes it. Returns `undefined` if the draw fails. */
function drawFirst(
  draw: Draw,
): { person: StoreUser; wish: Wish } | undefined {
  const { rng, store } = draw;
  const kind = drawKind(draw);
  const orders = kind.statuses.flatMap((one) => store.orders.get(one) ?? []);
  const order = orders.length === 0 ? undefined : rng.pick(orders);
  const person = order?.owner ?? rng.pick(store.people);
  const all = kind.intent === "cancel" && rng.int(4) === 0
    ? cancelAllWish(draw, person)
    : undefined;
  const wish = all ?? kind.draw({ person, order });
  return wish && { person, wish };
}

/** Draws another request of the same user, or returns `undefined` if the draw fails. */
function drawNext(
  draw: Draw,
  { person, before }: { person: StoreUser; before: readonly Wish[] },
): Wish | undefined {
  const kind = drawKind(draw);
  if (kind.intent === "user_address" && before.some(isUserAddress)) {
    return undefined;
  }
  const orders = person.orders.filter((order) =>
    kind.statuses.includes(order.status) &&
    before.filter((wish) => isAbout(wish, order))
      .every((wish) => canFollow(wish.intent, kind.intent))
  );
  const order = orders.length === 0 ? undefined : draw.rng.pick(orders);
  return kind.draw({ person, order });
}

function isUserAddress({ intent }: Wish): boolean {
  return intent === "user_address";
}

function isAbout({ actions }: Wish, { orderId }: Order): boolean {
  return actions.some(({ name, arguments: args }) =>
    !name.startsWith("get_") && args.get("order_id") === orderId
  );
}

/**
 * Checks whether a second request about the same order can be fulfilled after the first. For example, an order's items
 * can still be changed after its address.
 */
function canFollow(before: Intent, next: Intent): boolean {
  return next === "question" ||
    before === "modify_address" && next === "modify_items";
}

const ALL_STATUSES = ["pending", "processed", "delivered", "cancelled"];
