import assert from "node:assert/strict";
import { audit, type CheckName } from "../../../env/audit/audit.ts";
import { generated } from "../../../env/generated/generated.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import type { Dataset, Split, Task } from "../../../env/types.ts";
import { action, smallDataset } from "../../support/retail_world.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";

const cancel = action(
  "cancel_pending_order",
  '{"order_id": "#A", "reason": "no longer needed"}',
);
const INSTRUCTION = "You are Ann. Cancel order #A, it is no longer needed.";

/**
 * Creates the small world with the given tasks. Missing fields get default values. Tasks are in the test split by
 * default.
 */
function world(tasks: readonly Partial<Task>[]): Dataset {
  const dataset = smallDataset([]);
  const all = tasks.map((task, index): Task => ({
    id: `retail/${task.split ?? "test"}/${index}`,
    domain: "retail",
    split: "test",
    index,
    userId: "ann",
    instruction: INSTRUCTION,
    actions: [cancel],
    outputs: [],
    ...task,
  }));
  const splits = [...new Set(all.map(({ split }) => split))];
  const of = (split: Split) => all.filter((task) => task.split === split);
  return { ...dataset, splits, tasks: of };
}

function found(tasks: readonly Partial<Task>[], check: CheckName) {
  return audit(world(tasks)).findings.filter((one) => one.check === check);
}

Deno.test("audit() finds nothing wrong with a correct task", () => {
  const { findings, exclusions, tasks } = audit(world([{}]));
  assert.deepEqual(findings, []);
  assert.deepEqual(exclusions, []);
  assert.deepEqual(tasks, { test: 1 });
});

Deno.test("audit() finds gold actions that return an error, and accepts failing reads", () => {
  const broken = action(
    "cancel_pending_order",
    '{"order_id": "#B", "reason": "no longer needed"}',
  );
  const [write] = found([{ actions: [broken] }], "gold_error");
  assert.match(write?.evidence ?? "", /#B.*Error: /);
  assert.equal(write?.exclude, true);
  const read = action("get_order_details", '{"order_id": "#X"}');
  const [failed] = found([{ actions: [read, cancel] }], "gold_error");
  assert.equal(failed?.exclude, false);
  const unknown = action("fly_to_the_moon", "{}");
  assert.equal(found([{ actions: [unknown] }], "gold_error").length, 1);
});

Deno.test("audit() finds tasks that the do-nothing baseline solves, and gold actions that policy forbids", () => {
  const idle = found(
    [{ actions: [] }, { actions: [], outputs: ["x"] }],
    "idle",
  );
  assert.deepEqual(idle.map(({ taskId }) => taskId), ["retail/test/0"]);
  const foreign = found([{ userId: "bo" }], "forbidden");
  assert.match(foreign[0]?.reason ?? "", /account\.own_order/);
});

Deno.test("audit() with selected checks only finds and excludes by these", () => {
  const dataset = world([{ actions: [] }, { userId: "bo" }]);
  const all = audit(dataset);
  assert.equal(all.unchecked, undefined);
  const some = audit(dataset, { checks: ["forbidden"] });
  assert.deepEqual(
    some.findings,
    all.findings.filter(({ check }) => check === "forbidden"),
  );
  assert.deepEqual(
    some.exclusions.map(({ task }) => task),
    some.findings.map(({ taskId }) => taskId),
  );
  assert.ok(some.findings.length > 0);
  assert.ok(all.findings.length > some.findings.length);
  assert.ok(some.unchecked?.includes("idle"));
});

Deno.test("audit() finds arguments that cannot be known", () => {
  const address = (street: string) =>
    action(
      "modify_pending_order_address",
      `{"order_id": "#A", "address1": "${street}", "address2": "", "city": "Ghent", "state": "VOV", "country": "BE", "zip": "9000"}`,
    );
  const told = "You want #A sent to number 12, Oak Road, in your town.";
  const tasks = [
    { actions: [address("12 Oak Road")], instruction: told },
    { actions: [address("13 Oak Road")], instruction: told },
    { actions: [address("1 Elm")] },
  ];
  const hidden = found(tasks, "unknowable");
  assert.deepEqual(hidden.map(({ taskId }) => taskId), ["retail/test/1"]);
  assert.match(hidden[0]?.reason ?? "", /address1/);
});

Deno.test("audit() finds outputs that are matched by accident, or never", () => {
  const tasks = [
    { outputs: ["A"] }, // in "#A", which is read back
    { outputs: ["20.2"] },
    { outputs: ["ind"] }, // in "kind", a word of the policy
    { outputs: ["1,000"] },
  ];
  const loose = found(tasks, "loose_output").map(({ taskId }) => taskId);
  assert.deepEqual(loose, ["retail/test/0", "retail/test/2", "retail/test/3"]);
});

Deno.test("audit() finds rows that splits share, and near-duplicate tasks", () => {
  const tasks = [
    { split: "train" },
    { split: "test" },
    {
      split: "test",
      userId: "bo",
      actions: [],
      outputs: ["y"],
      instruction: "b",
    },
  ] as const;
  const { findings, overlaps } = audit(world(tasks));
  const shared = findings.filter(({ check }) => check === "shared_rows");
  assert.deepEqual(shared.map(({ taskId }) => taskId), ["retail/test/1"]);
  assert.match(shared[0]?.evidence ?? "", /retail\/train\/0.*#A, ann/);
  assert.deepEqual(overlaps, [
    { splits: ["train", "test"], users: 1, rows: 1 },
  ]);
  const alike = findings.filter(({ check }) => check === "duplicate");
  assert.equal(alike[0]?.exclude, true, "it is known from training");
});

Deno.test("audit() finds near-duplicate instructions among many", () => {
  const words = Array.from({ length: 40 }, (_, i) => `word${i}`);
  const texts = Array.from(
    { length: 200 },
    (_, i) => words.map((word) => `${word}x${i}`).join(" "),
  );
  texts.push(`${texts[17]} and one thing more`);
  const tasks = texts.map((instruction) => ({
    instruction,
    actions: [],
    outputs: ["z"],
  }));
  const alike = found(tasks, "duplicate");
  assert.deepEqual(alike.map(({ taskId }) => taskId), ["retail/test/200"]);
  assert.match(alike[0]?.reason ?? "", /retail\/test\/17/);
});

Deno.test("audit() finds nothing wrong with the gold of generated tasks", async () => {
  const dataset = await generated(5, { trainTasks: 60 });
  const { findings, overlaps } = audit(dataset);
  const gold = ["gold_error", "idle", "forbidden", "unknowable", "shared_rows"];
  assert.deepEqual(findings.filter(({ check }) => gold.includes(check)), []);
  assert.ok(overlaps.every(({ users, rows }) => users + rows === 0));
});

Deno.test({
  name: "audit() finds τ-bench's gold actions that serve a different user",
  ignore: NO_TAU_BENCH,
  fn: async () => {
    const dataset = await loadTauBench(TAU_BENCH, "retail");
    const other = audit(dataset).findings.filter(({ check, reason }) =>
      check === "unknowable" && reason.startsWith("the task's user is")
    );
    assert.deepEqual(other.map(({ taskId }) => taskId), ["retail/test/64"]);
    assert.match(other[0]!.reason, /harper_moore_6183.*james_sanchez_3954/);
  },
});

Deno.test({
  name:
    "audit() counts τ-bench's tasks that the do-nothing baseline solves, and failing gold actions",
  ignore: NO_TAU_BENCH,
  fn: async () => {
    const counts = async (domain: "retail" | "airline", split: Split) => {
      const dataset = await loadTauBench(TAU_BENCH, domain);
      const { findings } = audit(dataset, { splits: [split] });
      const tasks = (check: CheckName) =>
        new Set(
          findings.filter((one) => one.check === check).map(({ taskId }) =>
            taskId
          ),
        ).size;
      return [tasks("idle"), tasks("gold_error")];
    };
    assert.deepEqual(await counts("airline", "test"), [19, 0]);
    assert.deepEqual(await counts("retail", "test"), [7, 19]);
    assert.deepEqual(await counts("retail", "train"), [5, 19]);
  },
});
