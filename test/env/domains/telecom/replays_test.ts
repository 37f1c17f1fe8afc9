import assert from "node:assert/strict";
import type { JsonObject } from "../../../../env/python/python_json.ts";
import {
  at,
  objectsAt,
  telecomDatabases,
  telecomReplay,
  telecomTasks,
  TelecomWorld,
} from "../../../support/telecom_world.ts";
import { NO_TAU3_BENCH } from "../../../support/tau3_bench.ts";

const CASES = { ignore: NO_TAU3_BENCH };

/** Tiers in which the recordings' README asks for the error and both hashes only. */
const LOOSE = new Set(["binding", "internal"]);

function initOf(record: JsonObject, tasks: Map<string, JsonObject>) {
  const actions = objectsAt(record, "init_actions");
  const task = tasks.get(String(record.get("task_id")));
  return task === undefined
    ? actions
    : objectsAt(task, "initial_state", "initialization_actions");
}

/** Runs the calls of a record. @returns What differs, in words. */
function replay(
  world: TelecomWorld,
  { record, calls, name }: {
    record: JsonObject;
    calls: readonly JsonObject[];
    name: string;
  },
): string[] {
  const differences: string[] = [];
  const expect = (what: string, actual: unknown, expected: unknown) => {
    if (actual !== expected) {
      differences.push(`${name} ${what}: ${actual} instead of ${expected}`);
    }
  };
  const hashes = {
    db: String(at(record, "init", "db")),
    user_db: String(at(record, "init", "user_db")),
  };
  const expectHashes = (what: string) => {
    const { db, user_db } = world.hashes();
    expect(`${what}, agent's hash`, db, hashes.db);
    expect(`${what}, user's hash`, user_db, hashes.user_db);
  };
  expectHashes("init");
  for (const [i, step] of objectsAt(record, "steps").entries()) {
    const call = calls[i]!;
    const what = `step ${i} ${call.get("name")}`;
    const { content, error } = world.call(
      call.get("requestor") === "user" ? "user" : "agent",
      String(call.get("name")),
      call.get("arguments") as JsonObject,
    );
    for (const side of ["db", "user_db"] as const) {
      if (step.has(side)) hashes[side] = String(step.get(side));
    }
    expect(`${what}, error`, error, step.get("error") ?? false);
    if (!LOOSE.has(String(step.get("tier")))) {
      expect(`${what}, content`, content, step.get("content"));
    }
    expectHashes(what);
  }
  expect("final", world.hashes().db, at(record, "final", "db"));
  expect("final", world.hashes().user_db, at(record, "final", "user_db"));
  return differences;
}

/** The assertions that every record of calls ends with. */
const ASSERTIONS: readonly (readonly [string, object])[] = [
  ["assert_airplane_mode_status", { expected_status: false }],
  ["assert_service_status", { expected_status: "connected" }],
  ["assert_service_status", { expected_status: "no_service" }],
  ["assert_service_status", { expected_status: "bogus" }],
  ["assert_mobile_data_status", { expected_status: true }],
  ["assert_mobile_roaming_status", { expected_status: true }],
  ["assert_mobile_data_saver_mode_status", { expected_status: false }],
  ["assert_internet_speed", {
    expected_speed: 200,
    expected_desc: "excellent",
  }],
  ["assert_internet_speed", { expected_speed: 10 }],
  ["assert_internet_not_excellent", {}],
  ["assert_can_send_mms", { expected_status: true }],
  ["assert_mobile_data_usage_exceeded", { expected_status: false }],
  ["assert_data_refueling_amount", {
    customer_id: "C1001",
    line_id: "L1002",
    expected_amount: 2,
  }],
  ["assert_line_status", {
    customer_id: "C1001",
    line_id: "L1002",
    expected_status: "Active",
  }],
  ["assert_no_overdue_bill", { overdue_bill_id: "B1234321" }],
  ["assert_overdue_bill_exists", {
    customer_id: "C1001",
    overdue_bill_id: "B1234321",
  }],
];

function check(world: TelecomWorld, index: number): boolean | string {
  const [name, args] = ASSERTIONS[index]!;
  try {
    return world.run(
      new Map<string, never>(Object.entries({
        env_type: index < 12 ? "user" : "assistant",
        func_name: name,
        arguments: new Map(Object.entries(args)),
      }) as never),
    )!;
  } catch (error) {
    assert.equal((error as Error).name, "ToolError");
    return "error";
  }
}

Deno.test(
  "telecom answers every recorded call as the original, with both hashes after it",
  CASES,
  () => {
    const base = telecomDatabases();
    const tasks = new Map(
      telecomTasks().map((task) => [String(task.get("id")), task]),
    );
    const differences: string[] = [];
    const records = telecomReplay("fuzz");
    for (const record of records) {
      const kind = String(record.get("kind"));
      const name = `case ${record.get("case")} (${kind})`;
      const world = new TelecomWorld(base, { solo: kind === "solo" })
        .setUp(initOf(record, tasks));
      differences.push(
        ...replay(world, { record, calls: objectsAt(record, "steps"), name }),
      );
      const results = at(record, "assertions");
      if (!Array.isArray(results)) continue;
      for (const [i, result] of results.entries()) {
        const expected = typeof result === "string" ? "error" : result;
        const actual = check(world, i);
        if (actual !== expected) {
          differences.push(`${name} ${ASSERTIONS[i]}: ${actual}`);
        }
      }
    }
    assert.ok(records.length > 100);
    assert.deepEqual(differences.slice(0, 20), []);
  },
);

Deno.test(
  "telecom's gold actions change both databases as recorded, and fulfil their tasks' assertions",
  CASES,
  () => {
    const base = telecomDatabases();
    const tasks = new Map(
      telecomTasks().map((task) => [String(task.get("id")), task]),
    );
    const differences: string[] = [];
    const records = telecomReplay("gold");
    for (const record of records) {
      const name = String(record.get("task_id"));
      const task = tasks.get(name)!;
      const world = new TelecomWorld(base).setUp(initOf(record, tasks));
      const calls = objectsAt(task, "evaluation_criteria", "actions");
      differences.push(...replay(world, { record, calls, name }));
      const met = objectsAt(task, "evaluation_criteria", "env_assertions")
        .map((assertion) =>
          world.run(assertion) === assertion.get("assert_value")
        );
      if (String(met) !== String(at(record, "env_assertions"))) {
        differences.push(`${name} assertions: ${met}`);
      }
    }
    assert.ok(records.length > 100);
    assert.deepEqual(differences.slice(0, 20), []);
  },
);
