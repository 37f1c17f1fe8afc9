/**
 * Finds the calls that fulfill a retail user's request. Uses the user's words and the rows that they describe, but not
 * the gold actions.
 */

import { call } from "../../shared/call.ts";
import type { Address, RetailRequest } from "./request.ts";
import type { Database } from "../../../database.ts";
import type { RequestContext } from "../../../domain.ts";
import {
  type JsonObject,
  type JsonValue,
  toPlain,
} from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { row, rows, text, texts } from "../../shared/read_row.ts";

/**
 * The maximum length of a list for which all permutations are tried. Longer lists are tried only as given and reversed,
 * because five items already have 120 permutations.
 */
const MAX_PERMUTED = 3;

/**
 * Returns the calls that fulfill a request. Lists of more than {@linkcode MAX_PERMUTED} items are tried in only two
 * permutations. The result is empty for a question.
 */
export function fulfillingCalls(
  context: RequestContext<RetailRequest>,
): ToolAction[] {
  const { request, userId } = context;
  if (request.intent === "question") return [];
  if (request.intent === "user_address") {
    return request.address === undefined ? [] : [call("modify_user_address", {
      user_id: request.profileOf ?? userId,
      ...request.address,
    })];
  }
  return candidateOrders(context).flatMap((orderId) =>
    onOrder(context, orderId)
  );
}

/**
 * Returns the orders that a request may be about: the order whose id it states, all of the user's orders that contain
 * the described item, or all of the user's orders if it describes none.
 */
export function candidateOrders(
  { request, database, userId }: RequestContext<RetailRequest>,
): string[] {
  const { orderId, orderWords } = request;
  if (orderId !== undefined) {
    return database.has("orders", orderId) ? [orderId] : [];
  }
  const own = texts(database.get("users", userId), "orders");
  if (orderWords === undefined) return own;
  const name = orderWords.replace(/^the one with the /, "");
  return own.filter((id) =>
    rows(database.get("orders", id), "items").some((item) =>
      text(item, "name") === name
    )
  );
}

function onOrder(
  context: RequestContext<RetailRequest>,
  order_id: string,
): ToolAction[] {
  const { request, database } = context;
  const order = database.get("orders", order_id);
  switch (request.intent) {
    case "cancel":
      return [
        call("cancel_pending_order", {
          order_id,
          reason: request.reason ?? "",
        }),
      ];
    case "modify_address":
      return [
        call("modify_pending_order_address", {
          order_id,
          ...addressOf(request),
        }),
      ];
    case "modify_payment":
      return matchingMethods(context).map((payment_method_id) =>
        call("modify_pending_order_payment", { order_id, payment_method_id })
      );
    default:
      return onItems(context, { order_id, order });
  }
}

const ITEM_TOOLS: Readonly<Partial<Record<RetailRequest["intent"], string>>> = {
  return: "return_delivered_order_items",
  exchange: "exchange_delivered_order_items",
  modify_items: "modify_pending_order_items",
};

/** An item id and the id of its replacement. */
interface Swap {
  readonly item_id: string;
  readonly new_item_id: string | undefined;
}

function onItems(
  context: RequestContext<RetailRequest>,
  { order_id, order }: { order_id: string; order: JsonObject | undefined },
): ToolAction[] {
  const { request, database } = context;
  const name = ITEM_TOOLS[request.intent] ?? "";
  const choices = (request.items ?? []).map((words, i) =>
    matchingSwaps(database, {
      order,
      words,
      into: request.newItems?.[i],
      otherProduct: request.otherProduct === true,
    })
  );
  const lists = product(choices)
    .filter((list) => distinct(list, order))
    .flatMap(orders);
  return lists.flatMap((list) =>
    matchingMethods(context).map((payment_method_id) =>
      call(name, {
        order_id,
        item_ids: list.map(({ item_id }) => item_id),
        ...request.newItems &&
          { new_item_ids: list.map(({ new_item_id }) => new_item_id ?? "") },
        payment_method_id,
      })
    )
  );
}

/**
 * Returns every pair of an item that `words` names and another variant that `into` describes. If `into` is `undefined`,
 * returns the items without replacements.
 */
function matchingSwaps(
  database: Database,
  { order, words, into, otherProduct }: {
    order: JsonObject | undefined;
    words: string;
    into: string | undefined;
    otherProduct: boolean;
  },
): Swap[] {
  const named = rows(order, "items").filter((item) =>
    words === text(item, "name") ||
    words === `${text(item, "name")} (${optionWords(item)})`
  );
  return named.flatMap((item): Swap[] => {
    const item_id = text(item, "item_id");
    if (into === undefined) return [{ item_id, new_item_id: undefined }];
    const variants = otherProduct
      ? variantsNamed(database, into)
      : matchingVariants(
        rows(database.get("products", text(item, "product_id")), "variants"),
        into,
      );
    return variants.filter((variant) => text(variant, "item_id") !== item_id)
      .map((variant) => ({ item_id, new_item_id: text(variant, "item_id") }));
  });
}

/** Returns the variants of all products with the given name. */
function variantsNamed(database: Database, name: string): JsonObject[] {
  return [...database.ids("products")]
    .map((id) => database.get("products", id))
    .filter((product) => text(product, "name") === name)
    .flatMap((product) => rows(product, "variants"));
}

/**
 * Returns the variants that match the words: `red large`, `red, 2 liters`. For `cheapest` and `most expensive`, only
 * variants in stock are considered.
 */
function matchingVariants(variants: JsonObject[], words: string): JsonObject[] {
  const exact = variants.filter((one) => optionWords(one) === words);
  if (exact.length > 0) return exact;
  const [, most, rest = ""] =
    words.match(/^(cheapest|most expensive)(?:, (.+))?$/) ?? [];
  if (most === undefined) return variants.filter((one) => fits(one, words));
  const fitting = variants.filter((one) =>
    one.get("available") === true && (rest === "" || fits(one, rest))
  );
  const prices = fitting.map(priceOf);
  const best = most === "cheapest" ? Math.min(...prices) : Math.max(...prices);
  return fitting.filter((one) => priceOf(one) === best);
}

function priceOf(variant: JsonObject): number {
  return Number(toPlain(variant.get("price") ?? 0));
}

/** Checks whether a variant has every option that the words name. */
function fits(variant: JsonObject, words: string): boolean {
  const values = new Set<JsonValue>(row(variant, "options")?.values() ?? []);
  return words.split(", ").every((part) =>
    values.has(part) || part.split(" ").every((word) => values.has(word))
  );
}

function optionWords(item: JsonObject): string {
  return [...row(item, "options")?.values() ?? []].join(", ");
}

/**
 * Returns the ids of the user's payment methods that match the words, which name a kind (`my gift card`), a kind and
 * last digits, or an id. Without words, all methods match.
 */
function matchingMethods(
  { request, database, userId }: RequestContext<RetailRequest>,
): string[] {
  const methods = rows(database.get("users", userId), "payment_methods");
  const [words, lastFour] = request.payment?.replace(/^my /, "")
    .split(" ending in ") ?? [];
  return methods.filter((method) =>
    words === undefined || words === text(method, "id") ||
    words.replace(" ", "_") === text(method, "source") &&
      (lastFour === undefined || lastFour === text(method, "last_four"))
  ).map((method) => text(method, "id"));
}

/** Checks whether the swaps list no item more often than the order contains it. */
function distinct(
  list: readonly Swap[],
  order: JsonObject | undefined,
): boolean {
  const held = rows(order, "items").map((item) => text(item, "item_id"));
  return list.every(({ item_id }) =>
    list.filter((other) => other.item_id === item_id).length <=
      held.filter((id) => id === item_id).length
  );
}

/** Returns the Cartesian product of the choices. */
function product<T>(choices: readonly (readonly T[])[]): T[][] {
  return choices.reduce<T[][]>(
    (lists, next) => lists.flatMap((list) => next.map((one) => [...list, one])),
    [[]],
  );
}

/** Returns all permutations of a list or, if it is long, only the list as given and its reverse. */
function orders<T>(list: readonly T[]): T[][] {
  if (list.length > MAX_PERMUTED) return [[...list], list.toReversed()];
  if (list.length < 2) return [[...list]];
  return list.flatMap((one, i) =>
    orders(list.filter((_, j) => j !== i)).map((rest) => [one, ...rest])
  );
}

function addressOf({ address }: RetailRequest): Record<string, JsonValue> {
  const { address1, address2, city, state, country, zip }: Partial<Address> =
    address ?? {};
  return {
    address1: address1 ?? "",
    address2: address2 ?? "",
    city: city ?? "",
    state: state ?? "",
    country: country ?? "",
    zip: zip ?? "",
  };
}
