import type { RetailTask } from "../../../env/domains/retail/goal/request.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { expertAgent } from "../../../env/agents/expert.ts";
import { callTool, isErrorAnswer } from "../../../env/call_tool.ts";
import {
  generated,
  type GeneratedDataset,
} from "../../../env/generated/generated.ts";
import type { RetailOptions } from "../../../env/domains/retail/world/options.ts";
import { domainNamed } from "../../../env/domains/registry.ts";
import { createEnvironment } from "../../../env/environment.ts";
import { ConfigError, messageOf } from "../../../env/errors.ts";
import { toPlain } from "../../../env/python/python_json.ts";
import { rowSchemas } from "../../../env/domains/retail/schema.ts";
import { rollout } from "../../../env/rollout.ts";
import type { Split } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { datasetContract } from "../../contract/dataset_contract.ts";

type RetailWorld = GeneratedDataset<unknown, RetailTask>;

const SMALL = { trainTasks: 30, devTasks: 8, testTasks: 8 };

/** Options that make tasks hard in several ways at once: unknown orders, reticent users, and high counts. */
const HARD = {
  ...SMALL,
  tasksPerUser: 2,
  refusedShare: 0.4,
  twoIntentShare: 0.5,
  itemsMax: 4,
  requestedItemsMax: 3,
  extraOrdersMax: 2,
  paymentMethodsMax: 3,
  variantsMax: 6,
  optionsPerProduct: 3,
  unavailableShare: 0.2,
  orderStatedShare: 0.3,
  detailsStatedShare: 0.3,
  wording: 6,
};

datasetContract("generated()", () => generated(3, SMALL));

/** Arbitrary options of worlds that are cheap to generate. */
const options = fc.record({
  trainTasks: fc.integer({ min: 1, max: 12 }),
  devTasks: fc.constant(3),
  testTasks: fc.constant(3),
  tasksPerUser: fc.integer({ min: 1, max: 3 }),
  refusedShare: fc.constantFrom(0, 0.3, 1),
  otherAccountShare: fc.constantFrom(0, 0.5, 1),
  twoIntentShare: fc.constantFrom(0, 0.5, 1),
  itemsMin: fc.constantFrom(1, 2),
  itemsMax: fc.integer({ min: 2, max: 4 }),
  requestedItemsMax: fc.integer({ min: 1, max: 4 }),
  extraOrdersMax: fc.integer({ min: 0, max: 2 }),
  paymentMethodsMax: fc.constantFrom(2, 3),
  variantsMax: fc.integer({ min: 2, max: 6 }),
  optionsPerProduct: fc.integer({ min: 1, max: 3 }),
  unavailableShare: fc.constantFrom(0, 0.3),
  orderStatedShare: fc.constantFrom(0, 0.5, 1),
  detailsStatedShare: fc.constantFrom(0, 0.5, 1),
  wording: fc.integer({ min: 1, max: 6 }),
});

Deno.test("generated() makes tasks that the expert solves with any rollout seed, and the do-nothing baseline does not", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), options, async (seed, given) => {
      const dataset = await generated(seed, given);
      for (const task of allTasks(dataset)) {
        assert.equal(await solve(dataset, { task, seed }), 1, task.id);
        assert.equal(idle(dataset, task), 0, task.id);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("generated() has gold writes for the task's request, and refusals where policy requires them", async () => {
  const dataset = await generated(5, HARD);
  for (const task of allTasks(dataset)) {
    const fork = dataset.database.fork();
    for (const action of task.actions) {
      const shown = callTool(domainNamed("retail"), fork, action);
      assert.ok(!isErrorAnswer(shown), `${task.id}: ${shown}`);
    }
    const wanted = task.goal?.requests.filter((request) =>
      request.intent !== "question" && !request.refused
    ) ?? [];
    const changed = new Set(
      fork.changes().filter(({ table }) =>
        table === "orders"
      ).map(({ id }) => id),
    );
    const ofOrders = wanted.filter(({ intent }) =>
      intent !== "user_address"
    );
    assert.equal(changed.size, ofOrders.length, task.id);
    for (const [i, request] of task.goal?.requests.entries() ?? []) {
      // The alternative is about the same order.
      const isFinal = task.goal?.requests[i + 1]?.fallback !== true;
      if (request.refused && isFinal) {
        assert.ok(!changed.has(request.orderId ?? ""));
      }
    }
  }
});

Deno.test("generated(): splits share no user, no order and no name with zip code", async () => {
  const dataset = await generated(11, HARD);
  const [train, dev, test] = (["train", "dev", "test"] as const).map((split) =>
    namesIn(dataset, split)
  );
  assert.ok(train && dev && test);
  assert.ok(train.size > 0 && dev.size > 0 && test.size > 0);
  assert.ok(train.isDisjointFrom(dev));
  assert.ok(train.isDisjointFrom(test));
  assert.ok(dev.isDisjointFrom(test));
});

Deno.test("generated() rows satisfy retail's schemas", async () => {
  const { database } = await generated(2, HARD);
  for (const table of database.tables) {
    for (const id of database.ids(table)) {
      const parsed = rowSchemas.get(table)?.safeParse(
        toPlain(database.get(table, id) ?? null),
      );
      assert.ok(parsed?.success, `${table} ${id}: ${parsed?.error?.message}`);
    }
  }
});

Deno.test("generated() gives the same bytes for the same seed and options", async () => {
  const { fingerprint } = await generated(1, SMALL);
  assert.equal((await generated(1, SMALL)).fingerprint, fingerprint);
  assert.notEqual((await generated(2, SMALL)).fingerprint, fingerprint);
  // Pinned: a change here breaks existing seeds. Increment VERSION and mention it in the changelog.
  assert.equal(
    fingerprint,
    "fe9bb96aab7cb160a904bf8a60e73871951be8ea516052b3fddafbec836d13de",
  );
});

Deno.test("generated() draws only the intents that have weight", async () => {
  const dataset = await generated(4, {
    ...SMALL,
    intents: only("cancel", "question"),
    refusedShare: 0,
    twoIntentShare: 0,
  });
  const intents = new Set(allTasks(dataset).map((task) => task.intent));
  assert.deepEqual([...intents].sort(), ["cancel", "question"]);
});

Deno.test("generated() does not change a split when another one grows", async () => {
  const few = await generated(6, SMALL);
  const more = await generated(6, { ...SMALL, testTasks: 20 });
  assert.deepEqual(few.tasks("train"), more.tasks("train"));
});

Deno.test("generated() explains why options are impossible", async () => {
  await assert.rejects(
    generated(1, { ...SMALL, paymentMethodsMax: 1 }),
    /modify_payment.*paymentMethodsMax is 1; raise paymentMethodsMax, or set/s,
  );
  await assert.rejects(
    generated(1, { ...SMALL, itemsMin: 4, itemsMax: 2 }),
    /itemsMax \(2\) is less than itemsMin \(4\)/,
  );
  await assert.rejects(
    generated(1, { ...SMALL, orderStatedShare: 0, productKinds: 4 }),
    /must be distinct products if orderStatedShare/,
  );
  await assert.rejects(
    generated(1, {
      ...SMALL,
      unavailableShare: 1,
      refusedShare: 0,
      intents: only("exchange"),
    }),
    (error) =>
      error instanceof ConfigError &&
      /"exchange".*weight to 0/.test(messageOf(error)),
  );
});

function only(
  ...intents: readonly (keyof RetailOptions["intents"])[]
): RetailOptions["intents"] {
  const none = {
    cancel: 0,
    return: 0,
    exchange: 0,
    modify_items: 0,
    modify_address: 0,
    modify_payment: 0,
    user_address: 0,
    question: 0,
  };
  for (const intent of intents) none[intent] = 1;
  return none;
}

function allTasks(dataset: RetailWorld): RetailTask[] {
  return dataset.splits.flatMap((split) => dataset.tasks(split));
}

/** Returns all values that identify a split's users and orders. */
function namesIn(dataset: RetailWorld, split: Split): Set<string> {
  const names = new Set<string>();
  for (const task of dataset.tasks(split)) {
    const { firstName, lastName, zip, email } = task.goal?.identity ??
      assert.fail("no goal");
    names.add(task.userId).add(email).add(`${firstName} ${lastName} ${zip}`);
    for (const { arguments: args } of task.actions) {
      const orderId = args.get("order_id");
      if (typeof orderId === "string") names.add(orderId);
    }
    const orders = dataset.database.get("users", task.userId)?.get("orders");
    for (const id of Array.isArray(orders) ? orders : []) names.add(String(id));
  }
  return names;
}

async function solve(
  dataset: GeneratedDataset,
  { task, seed }: { task: RetailTask; seed: number },
): Promise<number | undefined> {
  const episode = await rollout({
    dataset,
    task,
    seed,
    agent: expertAgent(),
    user: scriptedUser(dataset),
    userName: "scripted",
    maxTurns: 60,
    now: () => 0,
  });
  return episode.reward?.value;
}

function idle(dataset: RetailWorld, task: RetailTask): number {
  const user = scriptedUser(dataset)(task, { seed: 0 });
  return createEnvironment({ dataset, task, user }).reward().value;
}
