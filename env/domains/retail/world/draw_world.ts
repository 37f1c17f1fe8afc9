/** Generates retail worlds: products, users, orders and tasks. */

import type { Table } from "../../../database.ts";
import type { JsonObject } from "../../../python/python_json.ts";
import { createRng, type Rng } from "../../../random.ts";
import policy from "../policy.md" with { type: "text" };
import { drawTasks, Ids } from "../../../generated/draw.ts";
import type {
  BatchDraw,
  BatchPlace,
  TaskBatch,
  WorldDraw,
  WorldPart,
} from "../../../generated/world.ts";
import { addExtraOrders, drawIntents, drawTask } from "./draw_task.ts";
import { type RetailOptions, retailOptionsSchema } from "./options.ts";
import { retailPrompts } from "./world_prompts.ts";
import {
  type Customer,
  drawCustomer,
  drawProducts,
  orderRow,
  type Product,
  productRow,
  userRow,
} from "./rows.ts";
import { retailTools, terminatingRetailTools } from "./tool_schemas.ts";

/** The `world` part of the retail domain, which generates a dataset from a seed and options. */
export const retailWorld = {
  options: retailOptionsSchema,
  version: 3,
  policy,
  tools: retailTools,
  terminatingTools: terminatingRetailTools,
  prompts: retailPrompts,
  open: (seed: number, options: RetailOptions) => new RetailDraw(seed, options),
} satisfies WorldPart<RetailOptions>;

const ADVICE =
  "allow more payment methods (modify_payment needs two) and more variants in stock (exchange and modify_items need another one), or set the intent's weight to 0";

class RetailDraw implements WorldDraw {
  readonly #seed: number;
  readonly #options: RetailOptions;
  readonly #ids = new Ids();
  readonly #products: readonly Product[];

  constructor(seed: number, options: RetailOptions) {
    this.#seed = seed;
    this.#options = options;
    const rng = createRng(seed, "products");
    this.#products = drawProducts({ rng, ids: this.#ids, options });
  }

  begin(place: BatchPlace, rng: Rng): BatchDraw {
    const intents = Array.from(
      { length: place.count },
      () => drawIntents(rng, this.#options),
    );
    return {
      about: intents.flat().map((intent) => `"${intent}"`).join(", "),
      advice: ADVICE,
      draw: () => {
        const people: Customer[] = [];
        const draw = { rng, ids: this.#ids, options: this.#options };
        const newcomer = () => {
          const customer = drawCustomer(draw);
          people.push(customer);
          return customer;
        };
        const world = { ...draw, products: this.#products, stranger: newcomer };
        const customer = newcomer();
        const tasks = drawTasks(
          place,
          intents,
          (ofTask, place) =>
            drawTask(world, { customer, intents: ofTask, place }),
        );
        if (tasks === undefined) return undefined;
        addExtraOrders(world, customer);
        return { place, tasks, rows: people };
      },
    };
  }

  tables(batches: readonly TaskBatch[]): Map<string, Table> {
    const people = batches.flatMap(({ rows }) => rows as readonly Customer[]);
    return tablesOf(this.#products.map(productRow), people, this.#seed);
  }
}

/**
 * Returns the tables in τ-bench's order. Orders and users are shuffled so that their positions carry no information.
 */
function tablesOf(
  products: readonly JsonObject[],
  people: readonly Customer[],
  seed: number,
): Map<string, Table> {
  const rng = createRng(seed, "tables");
  const orders = rng.shuffle(people.flatMap((person) => person.orders));
  // The shuffle depends on the user alone, so that certified tasks do not change when users are added.
  const users = rng.shuffle(people).map((person) => ({
    ...person,
    orders: createRng(seed, "orders", person.userId).shuffle(person.orders),
  }));
  return new Map<string, Table>([
    ["orders", new Map(orders.map((one) => [one.orderId, orderRow(one)]))],
    [
      "products",
      new Map(products.map((one) => [String(one.get("product_id")), one])),
    ],
    ["users", new Map(users.map((one) => [one.userId, userRow(one)]))],
  ]);
}
