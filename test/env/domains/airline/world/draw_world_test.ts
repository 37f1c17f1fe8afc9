import assert from "node:assert/strict";
import { rowSchemas } from "../../../../../env/domains/airline/schema.ts";
import { audit } from "../../../../../env/audit/audit.ts";
import { createCertifier } from "../../../../../env/generated/certificate/certificate.ts";
import { Rejection } from "../../../../../env/generated/certificate/subject.ts";
import { isWrite } from "../../../../../env/audit/finding.ts";
import { duplicates } from "../../../../../env/audit/duplicates.ts";
import { coverageOf } from "../../../../../env/generated/coverage.ts";
import {
  generated,
  type GeneratedDataset,
} from "../../../../../env/generated/generated.ts";
import { loadTauBench } from "../../../../../env/benchmarks/tau/tau_bench.ts";
import { toPlain } from "../../../../../env/python/python_json.ts";
import type { AirlineTask } from "../../../../../env/domains/airline/goal/request.ts";
import type { Split } from "../../../../../env/types.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../../../support/tau_bench.ts";

const SMALL = { trainTasks: 60, devTasks: 10, testTasks: 10 };

Deno.test("generated() of an airline certifies every task for any seed", async () => {
  for (const seed of [1, 2, 3]) {
    const world = await generated(seed, {
      ...SMALL,
      refusedShare: 0.3,
      twoIntentShare: 0.3,
      passengersMax: 3,
    }, { domain: "airline" });
    assert.equal(world.certificates.size, 80);
  }
});

Deno.test("generated() of an airline gives the same bytes for the same seed, and different ones for another", async () => {
  const [a, b, c] = await Promise.all(
    [1, 1, 2].map((seed) => generated(seed, SMALL, { domain: "airline" })),
  );
  assert.equal(a?.fingerprint, b?.fingerprint);
  assert.notEqual(a?.fingerprint, c?.fingerprint);
  // Pinned: a change here breaks existing seeds. Increment the world's version and mention it in the changelog.
  assert.equal(
    a?.fingerprint,
    "182ca4a97c0f3ecc891c9d9a63786c08e8d6c6ee3e88aa039fc6d8b2f50ffd6d",
  );
});

Deno.test("generated() of an airline: audit() flags no task", async () => {
  const dataset = await generated(4, SMALL, { domain: "airline" });
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  const { findings } = audit(dataset);
  assert.equal(tasks.length, 80);
  assert.deepEqual(findings.filter(({ exclude }) => exclude), []);
});

Deno.test("generated() of an airline: a gold that drops or repeats a write is rejected", async () => {
  const dataset = await generated(5, SMALL, { domain: "airline" });
  const certify = createCertifier(dataset);
  for (const task of dataset.tasks("train")) {
    const at = task.actions.findIndex(isWrite);
    if (at < 0) continue;
    const write = task.actions[at]!;
    const dropped = task.actions.filter((_, i) => i !== at);
    const twice = [...task.actions, write];
    for (const actions of [dropped, twice]) {
      const result = await certify({ ...task, id: `${task.id}x`, actions });
      assert.ok(result instanceof Rejection, `${task.id}: ${write.name}`);
    }
  }
});

Deno.test("generated() of an airline: each clause of policy allows some task and refuses some task, by each tool", async () => {
  const { certificates } = await generated(6, {
    ...SMALL,
    trainTasks: 1200,
    refusedShare: 0.5,
  }, { domain: "airline" });
  const untouched = coverageOf("airline", certificates.values())
    .filter(({ allowed, refused }) => allowed === 0 || refused === 0);
  assert.deepEqual(untouched, []);
});

Deno.test("generated() of an airline: the clause of a refused request forbids it, and each refusal has an output to tell", async () => {
  const world = await generated(7, { ...SMALL, refusedShare: 1 }, {
    domain: "airline",
  });
  for (const task of world.tasks("train")) {
    const { refused } = world.certificates.get(task.id)!.policy;
    for (const { request, clauses } of refused) {
      const { refusedBy = "", outputs } = task.goal!.requests[request]!;
      assert.ok(clauses.includes(refusedBy), `${task.id}: ${refusedBy}`);
      assert.ok(outputs?.every((one) => task.outputs.includes(one)));
    }
  }
});

Deno.test("generated() of an airline rows satisfy the airline's schemas", async () => {
  const { database } = await generated(2, {
    ...SMALL,
    refusedShare: 0.5,
  }, { domain: "airline" });
  for (const table of database.tables) {
    for (const id of database.ids(table)) {
      const parsed = rowSchemas.get(table)?.safeParse(
        toPlain(database.get(table, id) ?? null),
      );
      assert.ok(parsed?.success, `${table} ${id}: ${parsed?.error?.message}`);
    }
  }
});

Deno.test("generated() of an airline phrases values in words that its tools spell differently", async () => {
  const world = await generated(8, {
    ...SMALL,
    intents: { question: 0 },
  }, { domain: "airline" });
  for (const { id, instruction } of world.tasks("train")) {
    assert.doesNotMatch(instruction, /one_way|round_trip|basic_economy/, id);
  }
});

/** Returns all values that identify a split's users and reservations. */
function namesIn(
  dataset: GeneratedDataset<unknown, AirlineTask>,
  split: Split,
) {
  const names = new Set<string>();
  for (const { userId, goal, actions } of dataset.tasks(split)) {
    names.add(userId).add(goal!.identity.email);
    for (const { arguments: args } of actions) {
      const id = args.get("reservation_id");
      if (typeof id === "string") names.add(id);
    }
    const held = dataset.database.get("users", userId)?.get("reservations");
    for (const id of Array.isArray(held) ? held : []) names.add(String(id));
  }
  return names;
}

Deno.test("generated() of an airline: splits share no user and no reservation", async () => {
  const dataset = await generated(9, {
    ...SMALL,
    tasksPerUser: 2,
    refusedShare: 0.4,
  }, { domain: "airline" });
  const [train, dev, test] = (["train", "dev", "test"] as const)
    .map((split) => namesIn(dataset, split));
  assert.ok(train && dev && test && dev.size > 10 && test.size > 10);
  assert.ok(train.isDisjointFrom(dev));
  assert.ok(train.isDisjointFrom(test));
  assert.ok(dev.isDisjointFrom(test));
  const { overlaps } = audit(dataset);
  assert.ok(overlaps.every(({ users, rows }) => users + rows === 0));
});

Deno.test("generated() of an airline does not change a split when another one grows", async () => {
  const few = await generated(10, SMALL, { domain: "airline" });
  const more = await generated(10, { ...SMALL, testTasks: 20 }, {
    domain: "airline",
  });
  assert.deepEqual(few.tasks("train"), more.tasks("train"));
});

Deno.test("duplicates() finds no similar airline tasks except the planted one", async () => {
  const dataset = await generated(11, {
    ...SMALL,
    trainTasks: 400,
  }, { domain: "airline" });
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  assert.deepEqual(duplicates({ dataset, tasks }), []);
  const [first] = tasks;
  const twin = {
    ...first!,
    id: "airline/test/twin",
    split: "test" as const,
    userId: "somebody_else_1",
    instruction: `${first!.instruction} Be kind.`,
  };
  const [found, ...others] = duplicates({ dataset, tasks: [...tasks, twin] });
  assert.deepEqual(others, []);
  assert.equal(found?.taskId, twin.id);
  assert.match(
    found?.reason ?? "",
    /nearly the same as that of airline\/train\/0/,
  );
});

Deno.test({
  name:
    "duplicates() compares airline tasks with τ-bench's test tasks (needs τ-bench's data)",
  ignore: NO_TAU_BENCH,
  async fn() {
    const dataset = await generated(12, SMALL, { domain: "airline" });
    const own = dataset.splits.flatMap((split) => dataset.tasks(split));
    const theirs = (await loadTauBench(TAU_BENCH, "airline")).tasks("test")
      .map((task) => ({ ...task, id: `τ-bench ${task.id}` }));
    const copied = {
      ...own[0]!,
      id: "airline/train/copied",
      userId: "somebody_else_1",
      instruction: theirs[7]!.instruction,
    };
    const tasks = [...theirs, ...own, copied];
    const found = duplicates({ dataset, tasks })
      .filter(({ taskId }) => !taskId.startsWith("τ-bench"));
    assert.deepEqual(found.map(({ taskId }) => taskId), [copied.id]);
    assert.match(found[0]?.reason ?? "", /nearly the same as that of τ-bench/);
  },
});
