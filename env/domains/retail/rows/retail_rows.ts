/** Draws tasks over the store's own rows. */

import { Ids, pickWeighted } from "../../../generated/draw.ts";
import {
  personaWords,
  writeInstruction,
} from "../../../generated/instruction.ts";
import type { RowTasksPart } from "../../../generated/row_tasks.ts";
import type { LotPlace } from "../../../generated/world.ts";
import type { Database } from "../../../database.ts";
import { printPythonJson } from "../../../python/python_json.ts";
import type { Task } from "../../../types.ts";
import { isWrite } from "../../../audit/finding.ts";
import { once } from "../../../generated/draw.ts";
import { call } from "../../shared/call.ts";
import { needsWrite } from "../../shared/goal/goal.ts";
import type { Intent, RetailGoal, RetailRequest } from "../goal/request.ts";
import { retailBenchGoal } from "../user/bench_goal.ts";
import { drawQuestion } from "./questions.ts";
import { drawConditional, drawRefused } from "./refused.ts";
import { type Customer, type Order, storeOf } from "./store.ts";
import type { Draw, Wish } from "./wish.ts";
import { drawWrite, userAddressWish } from "./writes.ts";

/** Most wishes in a task. */
const MOST_WISHES = 4;

/** Draws of a further wish before a task does without. */
const TRIES = 6;

/** How often each kind of write is drawn, relative to the others. */
const INTENTS: ReadonlyMap<Intent, number> = new Map([
  ["cancel", 2],
  ["return", 3],
  ["exchange", 3],
  ["modify_items", 3],
  ["modify_address", 2],
  ["modify_payment", 1],
  ["user_address", 1],
]);

/** The status in which an order can be acted on. */
const WANTED: Partial<Record<Intent, string>> = {
  cancel: "pending",
  modify_items: "pending",
  modify_address: "pending",
  modify_payment: "pending",
  return: "delivered",
  exchange: "delivered",
};

/** Tasks of the store. */
export const retailRowTasks: RowTasksPart = {
  version: 1,
  open({ database, isHeldOut, options }) {
    const store = storeOf(database, isHeldOut);
    const taken = new Ids();
    return (place, rng) => {
      const task = drawTask({ rng, store, options }, { place, database });
      return task !== undefined && taken.claim(goldKey(task))
        ? task
        : undefined;
    };
  },
};

/** What no two tasks have in common. */
function goldKey({ userId, actions, outputs }: Task): string {
  const writes = actions.filter(isWrite).map(({ name, arguments: args }) =>
    name + printPythonJson(args)
  );
  return JSON.stringify([
    userId,
    writes,
    outputs,
    writes.length > 0 ? null : actions.length,
  ]);
}

function drawTask(
  draw: Draw,
  { place, database }: { place: LotPlace; database: Database },
): Task | undefined {
  const drawn = drawWishes(draw);
  if (drawn === undefined) return undefined;
  const { customer, wishes } = drawn;
  const { city, zip } = customer.address;
  const who = personaWords(draw.rng, { ...customer, city, zip });
  const instruction = writeInstruction(draw.rng, { who, wishes });
  const { count: _, ...at } = place;
  const isByEmail = instruction.includes(customer.email);
  const task: Task = {
    id: `${place.domain}/${place.split}/${place.index}`,
    ...at,
    userId: customer.userId,
    instruction,
    actions: once([
      isByEmail
        ? call("find_user_id_by_email", { email: customer.email })
        : call("find_user_id_by_name_zip", {
          first_name: customer.firstName,
          last_name: customer.lastName,
          zip,
        }),
      ...wishes.flatMap(({ actions }) => actions),
    ]),
    outputs: wishes.flatMap(({ outputs }) => outputs),
    intent: wishes.map(({ intent, untold }) =>
      untold?.refused ? `${intent} (refused)` : intent
    ).join("+"),
  };
  return { ...task, goal: goalOf(task, { wishes, database }) };
}

/** The goal as the user of a benchmark's task has it, with what is refused and asked. */
function goalOf(
  task: Task,
  { wishes, database }: { wishes: readonly Wish[]; database: Database },
): RetailGoal {
  const { goal } = retailBenchGoal(task, database);
  const writes = (goal.requests as readonly RetailRequest[]).filter(needsWrite);
  const requests = wishes.flatMap(({ actions, untold, words }) => {
    const own = writes.splice(0, actions.filter(isWrite).length)
      .map((request) => ({ ...request, ...words }));
    if (untold === undefined) return own;
    return untold.refused === true
      ? [untold, ...own.map((one) => ({ ...one, fallback: true }))]
      : [...own, untold];
  });
  return { identity: goal.identity, requests };
}

/** The wishes of one user, each about an order that none before is about. */
function drawWishes(
  draw: Draw,
): { customer: Customer; wishes: Wish[] } | undefined {
  const { rng, options, store } = draw;
  const first = drawWish(draw, {});
  if (first === undefined) return undefined;
  const { customer } = first;
  const wishes = [first.wish];
  const used = new Set([first.order]);
  while (wishes.length < MOST_WISHES && rng.next() < options.severalShare) {
    const next = tryOften(() => drawWish(draw, { customer, used }));
    if (next === undefined) break;
    wishes.push(next.wish);
    if (next.order !== undefined) used.add(next.order);
  }
  return store.customers.includes(customer) ? { customer, wishes } : undefined;
}

interface DrawnWish {
  readonly customer: Customer;
  readonly wish: Wish;
  readonly order: Order | undefined;
}

/** A wish of anybody, or of a user who has others. */
function drawWish(
  draw: Draw,
  { customer, used }: {
    customer?: Customer;
    used?: ReadonlySet<Order | undefined>;
  },
): DrawnWish | undefined {
  const { rng, options, store } = draw;
  const orderOf = (statuses: readonly string[]) => {
    const orders = customer === undefined
      ? statuses.flatMap((status) => store.orders.get(status) ?? [])
      : customer.orders.filter((order) =>
        statuses.includes(order.status) && !used?.has(order)
      );
    return orders.length === 0 ? undefined : rng.pick(orders);
  };
  const wished = (order: Order | undefined, wish: Wish | undefined) => {
    const whose = order?.owner ?? customer;
    return wish && whose && { customer: whose, wish, order };
  };
  let kind = rng.next();
  if ((kind -= options.questionShare) < 0) {
    const order = orderOf(ALL_STATUSES);
    const whose = customer ?? order?.owner;
    return whose &&
      wished(order, drawQuestion(draw, { customer: whose, order }));
  }
  if ((kind -= options.conditionShare) < 0) {
    const order = orderOf(["pending", "delivered"]);
    return wished(order, order && drawConditional(draw, order));
  }
  const intent = pickWeighted(rng, INTENTS);
  const status = WANTED[intent];
  if (status === undefined) {
    const whose = customer ?? rng.pick(store.customers);
    const wish = userAddressWish(draw, whose);
    return wish && { customer: whose, wish, order: undefined };
  }
  if ((kind -= options.refusedShare) < 0) {
    const order = orderOf(ALL_STATUSES.filter((one) => one !== status));
    return wished(order, order && drawRefused(draw, { intent, order }));
  }
  const order = orderOf([status]);
  return wished(order, order && drawWrite(draw, { intent, order }));
}

const ALL_STATUSES = ["pending", "processed", "delivered", "cancelled"];

function tryOften<T>(attempt: () => T | undefined): T | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    const made = attempt();
    if (made !== undefined) return made;
  }
  return undefined;
}
