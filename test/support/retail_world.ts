/** Creates a tiny retail world: two users, one of whom has orders, and two products, one of which has variants. */

import { retailPrompts } from "../../env/domains/retail/world/world_prompts.ts";
import { createDatabase, type Database } from "../../env/database.ts";
import { Float, type JsonObject } from "../../env/python/python_json.ts";
import { parsePythonJson } from "../../env/python/python_json.ts";
import type { Dataset, Task, ToolAction } from "../../env/types.ts";

const ADDRESS =
  `{"address1": "1 Elm", "address2": "", "city": "Ghent", "country": "BE", "state": "VOV", "zip": "9000"}`;

const USERS = `{
  "ann": {"name": {"first_name": "Ann", "last_name": "Kolb"}, "address": ${ADDRESS},
    "email": "Ann.K@example.com",
    "payment_methods": {
      "gift_card_1": {"source": "gift_card", "balance": 20, "id": "gift_card_1"},
      "paypal_1": {"source": "paypal", "id": "paypal_1"}},
    "orders": ["#A", "#B", "#C"]},
  "bo": {"name": {"first_name": "Bo", "last_name": "Kolb"}, "address": ${ADDRESS},
    "email": "bo@example.com", "payment_methods": {}, "orders": []}
}`;

const PRODUCTS = `{
  "10": {"name": "Lamp", "product_id": "10", "variants": {
    "101": {"item_id": "101", "options": {"color": "red"}, "available": true, "price": 10.1},
    "102": {"item_id": "102", "options": {"color": "blue"}, "available": true, "price": 30.2},
    "103": {"item_id": "103", "options": {"color": "grey"}, "available": false, "price": 5.0}}},
  "9": {"name": "Clock", "product_id": "9", "variants": {}}
}`;

function order(id: string, status: string, payer: string): string {
  const item =
    `{"name": "Lamp", "product_id": "10", "item_id": "101", "price": 10.1, "options": {"color": "red"}}`;
  return `"${id}": {"order_id": "${id}", "user_id": "ann", "address": ${ADDRESS},
    "items": [${item}, ${item}], "fulfillments": [], "status": "${status}",
    "payment_history": [{"transaction_type": "payment", "amount": 20.2, "payment_method_id": "${payer}"}]}`;
}

const ORDERS = `{${order("#A", "pending", "paypal_1")},
  ${order("#B", "delivered", "paypal_1")},
  ${order("#C", "pending", "gift_card_1")}}`;

/** Creates a new copy of the tiny world's database. */
export function smallDatabase(): Database {
  return createDatabase(
    new Map([
      ["orders", rows(ORDERS)],
      ["products", rows(PRODUCTS)],
      ["users", rows(USERS)],
    ]),
  );
}

/** Creates a dataset of the tiny world with one task for each list of gold actions. */
export function smallDataset(
  golds: readonly { actions: readonly ToolAction[]; outputs?: string[] }[],
): Dataset {
  const tasks = golds.map(({ actions, outputs = [] }, index): Task => ({
    id: `retail/test/${index}`,
    domain: "retail",
    split: "test",
    index,
    userId: "ann",
    instruction: "You are Ann.",
    actions,
    outputs,
  }));
  return {
    name: "small",
    domain: "retail",
    fingerprint: "small",
    database: smallDatabase(),
    policy: "Be kind.",
    tools: [],
    terminatingTools: ["transfer_to_human_agents"],
    prompts: () => retailPrompts,
    fewShot: [],
    splits: ["test"],
    tasks: () => tasks,
  };
}

/** Creates a tool action. The arguments are given as JSON. */
export function action(name: string, args = "{}"): ToolAction {
  return { name, arguments: parsePythonJson(args) as JsonObject };
}

/** Creates a Python float with an integer value. */
export function whole(value: number): Float {
  return new Float(value);
}

function rows(text: string): Map<string, JsonObject> {
  return parsePythonJson(text) as Map<string, JsonObject>;
}
