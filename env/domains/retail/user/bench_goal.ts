/** Derives the goal of a τ-bench user from the task's gold writes. */

import type { Database } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import type { Task, ToolAction } from "../../../types.ts";
import { type BenchGoal, benchGoal } from "../../shared/goal/bench_goal.ts";
import { row, rows, text, texts } from "../../shared/read_row.ts";
import type { Address, Intent, RetailRequest } from "../goal/request.ts";

/** The intent of the requests that each write tool fulfills, keyed by tool name. */
export const REQUEST_INTENTS: Readonly<Record<string, Intent>> = {
  cancel_pending_order: "cancel",
  return_delivered_order_items: "return",
  exchange_delivered_order_items: "exchange",
  modify_pending_order_items: "modify_items",
  modify_pending_order_address: "modify_address",
  modify_pending_order_payment: "modify_payment",
  modify_user_address: "user_address",
};

/**
 * Derives the goal of a τ-bench task: one request per gold write, in order, and possibly a question.
 * @see benchGoal
 */
export function retailBenchGoal(
  task: Task,
  database: Database,
): BenchGoal<RetailRequest> {
  return benchGoal<RetailRequest>(task, {
    database,
    requestsOf: (user) =>
      task.actions.flatMap((action) => {
        const intent = REQUEST_INTENTS[action.name];
        return intent === undefined
          ? []
          : [requestOf({ action, intent, task, user, database })];
      }),
  });
}

interface RequestSource {
  readonly action: ToolAction;
  readonly intent: Intent;
  readonly task: Task;
  readonly user: JsonObject;
  readonly database: Database;
}

function requestOf(source: RequestSource): RetailRequest {
  const { action, intent, task, database } = source;
  const args = action.arguments;
  const base = { intent, forthcoming: true };
  if (intent === "user_address") return { ...base, address: addressOf(args) };
  const orderId = text(args, "order_id");
  const order = database.get("orders", orderId);
  const known = task.instruction.includes(orderId.replace("#", "")) ||
    order === undefined;
  const about = {
    ...base,
    ...known
      ? { orderId }
      : { orderWords: `the one with the ${tellingItem(source, orderId)}` },
  };
  switch (intent) {
    case "cancel":
      return { ...about, reason: text(args, "reason") };
    case "modify_address":
      return { ...about, address: addressOf(args) };
    case "modify_payment":
      return { ...about, payment: paymentOf(source) };
    default:
      return {
        ...about,
        ...itemsOf(args, { order, database }),
        payment: paymentOf(source),
      };
  }
}

/**
 * Returns the name of the order's first item that occurs in none of the user's other orders. If there is no such item,
 * returns the name of the order's first item.
 */
function tellingItem({ user, database }: RequestSource, orderId: string) {
  const namesIn = (id: string) =>
    rows(database.get("orders", id), "items").map((item) => text(item, "name"));
  const others = new Set(
    texts(user, "orders").filter((id) => id !== orderId).flatMap(namesIn),
  );
  const names = namesIn(orderId);
  return names.find((name) => !others.has(name)) ?? names[0];
}

/**
 * Describes the items in a call by name and, if the order contains several items with the same name, by options.
 * Describes their replacements by options. Unknown items and replacements are described by id.
 */
function itemsOf(
  args: JsonObject,
  { order, database }: { order: JsonObject | undefined; database: Database },
): Pick<RetailRequest, "items" | "newItems"> {
  const all = rows(order, "items");
  const ids = texts(args, "item_ids");
  const products: string[] = [];
  const items = ids.map((id) => {
    const item = all.find((one) => text(one, "item_id") === id);
    products.push(text(item, "product_id"));
    const name = text(item, "name") || `item ${id}`;
    const alike = all.filter((one) => text(one, "name") === name);
    return alike.length > 1 ? `${name} (${optionWords(item)})` : name;
  });
  if (!args.has("new_item_ids")) return { items };
  const newItems = texts(args, "new_item_ids").map((id, i) => {
    const product = database.get("products", products[i] ?? "");
    const variant = row(row(product, "variants"), id);
    return optionWords(variant) || `item ${id}`;
  });
  return { items, newItems };
}

function optionWords(item: JsonObject | undefined): string {
  return [...row(item, "options")?.values() ?? []].map(String).join(", ");
}

/** Returns the payment method's id if the instruction contains it, and a description otherwise. */
function paymentOf({ action, task, user }: RequestSource): string {
  const id = text(action.arguments, "payment_method_id");
  return id === "" || task.instruction.includes(id)
    ? id
    : methodWords(id, rows(user, "payment_methods"));
}

/**
 * Describes a payment method by its kind and, if the user has others of that kind, by its last four digits. Returns the
 * id if the method is not in `methods`, or if the digits are needed but missing.
 */
export function methodWords(
  id: string,
  methods: readonly JsonObject[],
): string {
  const method = methods.find((one) => text(one, "id") === id);
  if (method === undefined) return id;
  const source = text(method, "source");
  const alike = methods.filter((one) => text(one, "source") === source);
  const words = source.replace("_", " ");
  if (alike.length === 1) return words;
  const lastFour = text(method, "last_four");
  return lastFour === "" ? id : `${words} ending in ${lastFour}`;
}

function addressOf(args: JsonObject): Address {
  return {
    address1: text(args, "address1"),
    address2: text(args, "address2"),
    city: text(args, "city"),
    state: text(args, "state"),
    country: text(args, "country"),
    zip: text(args, "zip"),
  };
}
