/**
 * The generated retail world, taulab's embedded dataset: rows in τ-bench's format, tasks with a structured
 * goal, policy and tool descriptions of our own. The same seed and options give the same bytes anywhere.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { createDatabase, type Table } from "../../database.ts";
import { ConfigError } from "../../errors.ts";
import { type JsonObject, printPythonJson } from "../../python_json.ts";
import { createRng, type Rng } from "../../random.ts";
import policy from "../../retail/policy.md" with { type: "text" };
import type { Dataset, Intent, Split, Task } from "../../types.ts";
import { scriptedUser } from "../../users/scripted.ts";
import { certify } from "./certificate.ts";
import { addExtraOrders, drawIntents, drawTask } from "./draw_task.ts";
import {
  type GeneratedOptions,
  type GeneratedOptionsInput,
  generatedOptionsSchema,
} from "./options.ts";
import { generatedPrompts } from "./prompts.ts";
import {
  type Customer,
  drawCustomer,
  drawProducts,
  Ids,
  orderRow,
  productRow,
  userRow,
} from "./rows.ts";
import { retailTools, terminatingRetailTools } from "./tools.ts";

/** A generated dataset. */
export interface GeneratedDataset extends Dataset {
  readonly name: "generated";
  readonly seed: number;
  readonly options: GeneratedOptions;
  /** Tasks whose certificate failed, by the reason; each was replaced by another one. */
  readonly dropped: ReadonlyMap<string, number>;
}

/** Raised when what is generated changes for the same seed and options. */
const VERSION = 1;

const SPLITS = ["train", "dev", "test"] as const;

/** After so many draws that come to nothing the options are to blame. */
const MAX_ATTEMPTS = 200;

/**
 * Generates a retail world. Every task holds its certificate, see {@linkcode certify}; the splits share no
 * user and no order, only the store's products.
 *
 *     const dataset = await generated(1, { trainTasks: 100, intents: { cancel: 1 } });
 *
 * @throws {ConfigError} If an option is unknown or out of range, or an intent has no possible task.
 */
export async function generated(
  seed: number,
  input: GeneratedOptionsInput = {},
): Promise<GeneratedDataset> {
  const options = parseOptions(input);
  const factory = new Factory(seed, options);
  for (const split of SPLITS) factory.fill(split);
  await factory.certifyAll();
  return factory.finish();
}

function parseOptions(input: GeneratedOptionsInput): GeneratedOptions {
  const parsed = generatedOptionsSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) =>
    `${path.join(".") || "options"}: ${message}`
  );
  throw new ConfigError(
    `Cannot generate the retail world of these options: ${wrong.join("; ")}`,
    { cause: parsed.error },
  );
}

/** The tasks of one customer, and everybody whose rows they need. */
interface Lot {
  readonly split: Split;
  readonly index: number;
  readonly tasks: readonly Task[];
  readonly people: readonly Customer[];
}

class Factory {
  readonly #seed: number;
  readonly #options: GeneratedOptions;
  readonly #ids = new Ids();
  readonly #products: ReturnType<typeof drawProducts>;
  readonly #dropped = new Map<string, number>();
  #lots: Lot[] = [];

  constructor(seed: number, options: GeneratedOptions) {
    this.#seed = seed;
    this.#options = options;
    const rng = createRng(seed, "products");
    this.#products = drawProducts({ rng, ids: this.#ids, options });
  }

  /** Draws a split's tasks. */
  fill(split: Split): void {
    const { tasksPerUser } = this.#options;
    const count = this.#options[`${split}Tasks`];
    for (let index = 0; index < count; index += tasksPerUser) {
      this.#lots.push(this.#drawLot(split, index));
    }
  }

  /** Certifies every task, and replaces those that fail until none does. */
  async certifyAll(): Promise<void> {
    let unchecked = this.#lots;
    for (let round = 1; unchecked.length > 0; round++) {
      const dataset = this.#dataset(unchecked);
      const user = scriptedUser(dataset);
      const failed = new Set<Lot>();
      for (const lot of unchecked) {
        for (const task of lot.tasks) {
          const reason = await certify({ dataset, task, user });
          if (reason === null) continue;
          failed.add(lot);
          this.#drop(reason);
        }
      }
      unchecked = this.#replace(failed, round);
    }
  }

  finish(): GeneratedDataset {
    return {
      ...this.#dataset(this.#lots),
      seed: this.#seed,
      options: this.#options,
      dropped: this.#dropped,
    };
  }

  #replace(failed: ReadonlySet<Lot>, round: number): Lot[] {
    const replacements: Lot[] = [];
    this.#lots = this.#lots.map((lot) => {
      if (!failed.has(lot)) return lot;
      const other = this.#drawLot(lot.split, lot.index, round);
      replacements.push(other);
      return other;
    });
    return replacements;
  }

  #drop(reason: string): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
    const total = this.#dropped.values().reduce((sum, n) => sum + n, 0);
    if (total <= MAX_ATTEMPTS + this.#lots.length) return;
    throw new ConfigError(
      `Cannot generate the retail world: ${total} tasks failed their certificate, the last with "${reason}"; report this with the seed ${this.#seed} and the options`,
    );
  }

  /** The tasks of one customer. Which intents they have is settled first, so that weights hold. */
  #drawLot(split: Split, index: number, round = 0): Lot {
    const { tasksPerUser } = this.#options;
    const last = Math.min(
      index + tasksPerUser,
      this.#options[`${split}Tasks`],
    );
    const rng = createRng(this.#seed, split, index, round);
    const intents = Array.from(
      { length: last - index },
      () => drawIntents(rng, this.#options),
    );
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const lot = this.#tryLot({ split, index, intents, rng });
      if (lot !== undefined) return lot;
    }
    throw new ConfigError(
      `Cannot generate a task with ${
        intents.flat().map((intent) => `"${intent}"`).join(", ")
      } for these options: ${MAX_ATTEMPTS} draws came to nothing; allow more payment methods (modify_payment needs two) and more variants in stock (exchange and modify_items need another one), or set the intent's weight to 0`,
    );
  }

  #tryLot(
    { split, index, intents, rng }: {
      split: Split;
      index: number;
      intents: readonly (readonly Intent[])[];
      rng: Rng;
    },
  ): Lot | undefined {
    const people: Customer[] = [];
    const draw = { rng, ids: this.#ids, options: this.#options };
    const newcomer = () => {
      const customer = drawCustomer(draw);
      people.push(customer);
      return customer;
    };
    const world = { ...draw, products: this.#products, stranger: newcomer };
    const customer = newcomer();
    const tasks: Task[] = [];
    for (const [i, ofTask] of intents.entries()) {
      const place = { split, index: index + i };
      const task = drawTask(world, { customer, intents: ofTask, place });
      if (task === undefined) return undefined;
      tasks.push(task);
    }
    addExtraOrders(world, customer);
    return { split, index, tasks, people };
  }

  #dataset(lots: readonly Lot[]): Dataset & { name: "generated" } {
    const people = lots.flatMap((lot) => lot.people);
    const tables = tablesOf(this.#products.map(productRow), people, this.#seed);
    const tasks = Map.groupBy(
      lots.flatMap((lot) => lot.tasks),
      (task) => task.split,
    );
    const settings = JSON.stringify([VERSION, this.#seed, this.#options]);
    return {
      name: "generated",
      domain: "retail",
      fingerprint: fingerprintOf(settings, { tables, tasks }),
      database: createDatabase(tables),
      policy,
      tools: retailTools,
      terminatingTools: terminatingRetailTools,
      prompts: () => generatedPrompts,
      fewShot: [],
      splits: SPLITS,
      tasks(split) {
        const ofSplit = tasks.get(split);
        if (ofSplit !== undefined) return ofSplit;
        throw new ConfigError(
          `No split "${split}" in the generated world; it has ${
            SPLITS.map((known) => `"${known}"`).join(", ")
          }`,
        );
      },
    };
  }
}

/** Tables in τ-bench's order, rows in random order, so that a place says nothing. */
function tablesOf(
  products: readonly JsonObject[],
  people: readonly Customer[],
  seed: number,
): Map<string, Table> {
  const rng = createRng(seed, "tables");
  const orders = rng.shuffle(people.flatMap((person) => person.orders));
  const users = rng.shuffle(people).map((person) => ({
    ...person,
    orders: rng.shuffle(person.orders),
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

function fingerprintOf(
  settings: string,
  { tables, tasks }: {
    tables: ReadonlyMap<string, Table>;
    tasks: ReadonlyMap<Split, readonly Task[]>;
  },
): string {
  const hash = createHash("sha256").update(settings).update(policy)
    .update(JSON.stringify(retailTools));
  for (const rows of tables.values()) {
    for (const row of rows.values()) hash.update(printPythonJson(row));
  }
  for (const ofSplit of tasks.values()) {
    for (const task of ofSplit) hash.update(taskText(task));
  }
  return hash.digest("hex");
}

function taskText({ actions, ...rest }: Task): string {
  const calls = actions.map(({ name, arguments: args }) =>
    name + printPythonJson(args)
  );
  return JSON.stringify([rest, calls]);
}
