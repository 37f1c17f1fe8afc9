/** Draws correct and almost correct calls of τ³-bench's retail tools, based on the state of the world. */

import type { Database } from "../../env/database.ts";
import type { JsonObject, JsonValue } from "../../env/python/python_value.ts";
import type { Rng } from "../../env/random.ts";
import { listAt, objectAt, objectsAt, textAt } from "../../env/row.ts";
import { maybeOdd } from "./odd_calls.ts";
import { EXPRESSIONS } from "./tau2_airline_calls.ts";
import type { DrawCall, PlayedCall } from "./tau2_play.ts";

function object(fields: Record<string, JsonValue>): JsonObject {
  return new Map(Object.entries(fields));
}

/** Returns a function that draws calls about one user's orders. */
export function retailCalls(rng: Rng, database: Database): DrawCall {
  const owner = rng.pick(
    [...database.ids("users")].filter((id) =>
      listAt(database.get("users", id)!, "orders").length > 0
    ),
  );
  const products = [...database.ids("products")];
  return (agent): PlayedCall => {
    const user = agent.get("users", owner)!;
    const orderId = rng.pick(listAt(user, "orders") as string[]);
    const order = agent.get("orders", orderId)!;
    const methods = [...objectAt(user, "payment_methods").keys()];
    const method = rng.next() < 0.1 ? "paypal_1" : rng.pick(methods);
    const pairs = itemPairs(rng, agent, order);
    const change = () =>
      object({
        order_id: orderId,
        item_ids: pairs.map(([item]) => item),
        new_item_ids: pairs.map(([, item]) => item),
        payment_method_id: method,
      });
    const address = {
      address1: "1 Main St",
      address2: "",
      city: "Oslo",
      state: "NY",
      country: "USA",
      zip: rng.pick(["10001", "10002"]),
    };
    const name = objectAt(user, "name");
    const draws: Record<string, () => JsonObject> = {
      calculate: () => object({ expression: rng.pick(EXPRESSIONS) }),
      cancel_pending_order: () =>
        object({
          order_id: orderId,
          reason: rng.pick(["no longer needed", "ordered by mistake", "other"]),
        }),
      exchange_delivered_order_items: change,
      find_user_id_by_name_zip: () =>
        object({
          first_name: textAt(name, "first_name").toUpperCase(),
          last_name: textAt(name, "last_name"),
          zip: objectAt(user, "address").get("zip")!,
        }),
      find_user_id_by_email: () =>
        object({ email: textAt(user, "email").toUpperCase() }),
      get_order_details: () => object({ order_id: orderId }),
      get_product_details: () => object({ product_id: rng.pick(products) }),
      get_user_details: () => object({ user_id: owner }),
      list_all_product_types: () => object({}),
      modify_pending_order_address: () =>
        object({ order_id: orderId, ...address }),
      modify_pending_order_items: change,
      modify_pending_order_payment: () =>
        object({ order_id: orderId, payment_method_id: method }),
      modify_user_address: () => object({ user_id: owner, ...address }),
      return_delivered_order_items: () =>
        object({
          order_id: orderId,
          item_ids: pairs.map(([item]) => item),
          payment_method_id: method,
        }),
      transfer_to_human_agents: () => object({ summary: "help" }),
      use_tool: () => object({}),
    };
    const tool = rng.pick([
      ...Object.keys(draws),
      "modify_pending_order_items",
      "modify_pending_order_payment",
      "cancel_pending_order",
      "exchange_delivered_order_items",
    ]);
    return {
      requestor: rng.next() < 0.02 ? "user" : "agent",
      name: tool,
      arguments: maybeOdd(rng, draws[tool]!(), 0.4),
    };
  };
}

/** Draws items of an order, each with a variant that usually belongs to the item's product. */
function itemPairs(
  rng: Rng,
  database: Database,
  order: JsonObject,
): [item: string, newItem: string][] {
  const items = objectsAt(order, "items");
  const chosen = rng.next() < 0.05
    ? []
    : rng.shuffle(items).slice(0, 1 + rng.int(items.length));
  return chosen.map((item) => {
    const product = rng.next() < 0.05
      ? rng.pick([...database.ids("products")])
      : textAt(item, "product_id");
    const variants = objectAt(database.get("products", product)!, "variants");
    return [textAt(item, "item_id"), rng.pick([...variants.keys()])];
  });
}
