import type { RetailTask } from "../../../env/domains/retail/goal/request.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  createCertifier,
  Rejection,
} from "../../../env/generated/certificate/certificate.ts";
import { generated } from "../../../env/generated/generated.ts";
import type { RetailOptionsInput } from "../../../env/domains/retail/world/options.ts";
import { isWrite } from "../../../env/audit/finding.ts";
import { fromPlain } from "../../../env/python/python_json.ts";
import type { Dataset, ToolAction } from "../../../env/types.ts";
import { rejectedMutations } from "../../support/mutated_gold.ts";

const HARD = {
  trainTasks: 300,
  devTasks: 20,
  testTasks: 20,
  refusedShare: 0.4,
  unavailableShare: 0.3,
  paymentMethodsMax: 3,
  twoIntentShare: 0.4,
  requestedItemsMax: 2,
  orderStatedShare: 0.5,
  detailsStatedShare: 0.5,
  extraOrdersMax: 2,
  changeOfMindShare: 0.4,
  fallbackShare: 0.5,
  voices: { plain: 1, terse: 1, chatty: 1, impatient: 1 },
} satisfies RetailOptionsInput;

const NO_INTENTS = {
  cancel: 0,
  return: 0,
  exchange: 0,
  modify_items: 0,
  modify_address: 0,
  modify_payment: 0,
  user_address: 0,
  question: 0,
};

const hard = await generated(11, HARD);

async function rejectionOf(task: RetailTask, dataset: Dataset = hard) {
  const result = await createCertifier(dataset)(task);
  return result instanceof Rejection ? result : null;
}

/** Returns a train task of the hard world that satisfies a condition. */
function taskLike(wanted: (task: RetailTask) => boolean): RetailTask {
  const task = hard.tasks("train").find(wanted);
  assert.ok(task !== undefined, "the world has such a task");
  return task;
}

function withActions(
  task: RetailTask,
  actions: readonly ToolAction[],
): RetailTask {
  return { ...task, actions };
}

Deno.test("createCertifier() reproduces each task's certificate, and the world has all of them", async () => {
  const certify = createCertifier(hard);
  for (const split of hard.splits) {
    for (const task of hard.tasks(split)) {
      const kept = hard.certificates.get(task.id);
      assert.ok(kept !== undefined, task.id);
      assert.deepEqual(await certify(task), kept);
    }
  }
});

Deno.test("a certificate records what was proven: writes and rows, clauses, reads, call sequences, wrong outcomes", () => {
  const write = taskLike(({ intent }) => intent === "exchange");
  const proof = hard.certificates.get(write.id);
  assert.equal(proof?.gold.writes[0]?.tool, "exchange_delivered_order_items");
  assert.match(proof?.gold.writes[0]?.rows.join() ?? "", /orders\/#W/);
  assert.ok((proof?.solvable.chain ?? 0) >= 2, "items are read off the order");
  assert.ok((proof?.unique.ways ?? 0) >= 1);
  assert.ok((proof?.strict.wrong ?? 0) >= 2);
  assert.ok((proof?.strict.tooMuch ?? 0) >= 1);
  const refused = taskLike(({ intent }) =>
    /^cancel \(refused\)$/.test(intent!)
  );
  const [clause] = hard.certificates.get(refused.id)?.policy.refused ?? [];
  assert.match(clause?.clauses.join() ?? "", /order\.pending|own_order/);
  assert.notEqual(clause?.why, "");
});

Deno.test("a refused request is refused by its own clause, for each clause that a user's words can break", () => {
  const clauses = new Set(
    hard.certificates.values().flatMap(({ policy }) =>
      policy.refused.flatMap(({ clauses }) => clauses)
    ),
  );
  const expected = [
    "account.own_order",
    "account.own_profile",
    "cancel.reason",
    "items.in_stock",
    "items.same_product",
    "order.delivered",
    "order.pending",
    "payment.covers_total",
    "return.refund_to",
  ];
  assert.deepEqual(expected.filter((clause) => !clauses.has(clause)), []);
});

Deno.test("a payment by a gift card that does not cover the difference is refused", async () => {
  const poor = await generated(12, {
    ...HARD,
    intents: { ...NO_INTENTS, exchange: 1 },
    refusedShare: 1,
    brokenRuleShare: 1,
    unavailableShare: 0,
    paymentMethodsMin: 2,
  });
  const told = poor.tasks("train").flatMap(({ goal }) => goal!.requests)
    .filter(({ refusedBy }) => refusedBy === "payment.covers_difference");
  assert.ok(told.length > 0);
  for (const { outputs } of told) assert.deepEqual(outputs, ["not enough"]);
});

Deno.test("a user whose variant is out of stock may take another", async () => {
  const short = await generated(13, {
    ...HARD,
    intents: { ...NO_INTENTS, exchange: 1 },
    refusedShare: 1,
    brokenRuleShare: 1,
    unavailableShare: 0.5,
    fallbackShare: 1,
  });
  const task = short.tasks("train").find(({ goal }) =>
    goal!.requests[0]?.refusedBy === "items.in_stock" &&
    goal!.requests[1]?.fallback === true
  );
  assert.deepEqual(task?.outputs, ["out of stock"]);
  const { refused, allowed } = short.certificates.get(task!.id)!.policy;
  assert.match(refused[0]!.why, /is out of stock/);
  assert.deepEqual(allowed, ["exchange_delivered_order_items"]);
});

Deno.test("part 1 rejects a gold action that fails, and a write that changes something else", async () => {
  const task = taskLike(({ intent }) => intent === "cancel");
  const broken = task.actions.map((action) =>
    isWrite(action) ? changed(action, "reason", "a whim") : action
  );
  const refusal = await rejectionOf(withActions(task, broken));
  assert.equal(refusal?.part, "gold");
  assert.match(refusal?.evidence ?? "", /a whim.*Error/);
});

Deno.test("part 2 rejects a task that refuses what policy allows", async () => {
  const task = taskLike(({ intent }) => intent === "cancel");
  const goal = task.goal!;
  const requests = goal.requests.map((request) => ({
    ...request,
    refused: true,
    refusedBy: "order.pending",
    outputs: ["processed"],
  }));
  const lazy = withActions(
    { ...task, goal: { ...goal, requests }, outputs: ["processed"] },
    task.actions.filter((action) => !isWrite(action)),
  );
  assert.equal((await rejectionOf(lazy))?.part, "policy");
});

Deno.test("part 3 rejects an argument that the agent cannot know, and an unnecessary read", async () => {
  const task = taskLike(({ intent }) => intent === "return");
  const blind = task.actions.filter(({ name }) => name !== "get_order_details");
  assert.equal((await rejectionOf(withActions(task, blind)))?.part, "solvable");
  const idle = { name: "list_all_product_types", arguments: new Map() };
  const [first, ...rest] = task.actions;
  const more = await rejectionOf(withActions(task, [first!, idle, ...rest]));
  assert.match(more?.reason ?? "", /a gold read is unnecessary/);
});

Deno.test("part 4 rejects ambiguous words", async () => {
  const reasons: string[] = [];
  for (const task of hard.tasks("train")) {
    const [request, ...more] = task.goal!.requests;
    if (task.intent !== "return" || more.length > 0) continue;
    const { payment: _, ...vague } = request!;
    const goal = { ...task.goal!, requests: [vague] };
    const refusal = await rejectionOf({ ...task, goal });
    if (refusal?.part === "unique") reasons.push(refusal.reason);
  }
  assert.ok(reasons.length > 0, "some user has two ways to be paid");
  assert.equal(new Set(reasons).size, 1);
  assert.match(reasons[0]!, /also allows another final state/);
});

Deno.test("part 5 rejects a task that the do-nothing baseline solves", async () => {
  const task = taskLike(({ intent }) => intent === "cancel");
  const reads = task.actions.filter((action) => !isWrite(action));
  const idle = withActions(
    { ...task, goal: { ...task.goal!, requests: [] } },
    reads.slice(0, 1),
  );
  assert.notEqual(await rejectionOf(idle), null);
});

Deno.test("part 5: a user's first wish, which they then change, scores 0", () => {
  const task = taskLike(({ goal }) =>
    goal!.requests.some(({ before }) => before?.reason !== undefined)
  );
  assert.ok((hard.certificates.get(task.id)?.strict.wrong ?? 0) >= 3);
  const write = task.actions.find(({ name }) =>
    name === "cancel_pending_order"
  )!;
  const { before, reason } = task.goal!.requests.find((one) => one.before)!;
  assert.equal(write.arguments.get("reason"), reason);
  assert.notEqual(before?.reason, reason);
});

Deno.test("part 6 rejects an output that the expert does not tell", async () => {
  const task = taskLike(({ intent }) => intent === "question");
  const refusal = await rejectionOf({ ...task, outputs: ["never said"] });
  assert.ok(refusal !== null && ["expert", "solvable"].includes(refusal.part));
});

function changed(
  action: ToolAction,
  key: string,
  value: unknown,
): ToolAction {
  return {
    ...action,
    arguments: new Map([...action.arguments, [key, fromPlain(value)]]),
  };
}

Deno.test("createCertifier() rejects at least 99% of tasks with mutated gold actions", async () => {
  const { share, passed, text } = await rejectedMutations(hard, 2000);
  console.log(text);
  assert.ok(share >= 0.99, passed.join("; "));
});

Deno.test("generated() certifies every task for any seed and options", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(1e6),
      fc.record({
        refusedShare: fc.double({ min: 0, max: 1, noNaN: true }),
        twoIntentShare: fc.double({ min: 0, max: 1, noNaN: true }),
        orderStatedShare: fc.double({ min: 0, max: 1, noNaN: true }),
        detailsStatedShare: fc.double({ min: 0, max: 1, noNaN: true }),
        requestedItemsMax: fc.integer({ min: 1, max: 3 }),
        optionsPerProduct: fc.integer({ min: 1, max: 3 }),
        variantsMax: fc.integer({ min: 3, max: 6 }),
        extraOrdersMax: fc.integer({ min: 0, max: 3 }),
        wording: fc.integer({ min: 1, max: 6 }),
        changeOfMindShare: fc.double({ min: 0, max: 1, noNaN: true }),
        fallbackShare: fc.double({ min: 0, max: 1, noNaN: true }),
        voices: fc.constantFrom(
          {},
          { plain: 0, terse: 1 },
          { chatty: 1, impatient: 1 },
        ),
      }),
      async (seed, options) => {
        const world = await generated(seed, {
          ...options,
          trainTasks: 8,
          devTasks: 2,
          testTasks: 2,
        });
        assert.equal(world.certificates.size, 12);
        for (const { version, strict, unique } of world.certificates.values()) {
          assert.equal(version, 1);
          assert.ok(strict.tooMuch > 0 && unique.ways > 0);
        }
      },
    ),
    { numRuns: 40 },
  );
});
