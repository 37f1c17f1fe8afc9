import assert from "node:assert/strict";
import { audit } from "../../../../env/audit/audit.ts";
import { inEverySplit } from "../../../../env/audit/every_split.ts";
import { tau3Faults } from "../../../../env/benchmarks/tau3/audit/task_faults.ts";
import { loadTau3 } from "../../../../env/benchmarks/tau3/load_bundle.ts";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { telecomBundle } from "../../../../env/domains/telecom/world/world_bundle.ts";
import { withoutTasks } from "../../../../train/config/exclusions.ts";
import { writeFiles } from "../../../../train/mock/mock_files.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../../../support/tau3_bench.ts";
import { TOY_TASK, toyBundle } from "../../../support/tau3_toy.ts";

const SELL = { action_id: "a", name: "sell", arguments: { item: "cup" } };
const PRESS = {
  action_id: "b",
  requestor: "user",
  name: "press",
  arguments: {},
};
const SOLD = {
  env_type: "assistant",
  func_name: "sold",
  arguments: { item: "cup" },
};

/** Finds the faults of the toy shop's task after its criteria or texts are replaced. */
async function faultsOf(
  criteria: Record<string, unknown>,
  texts: Record<string, unknown> = {},
): Promise<[check: string, evidence: string, exclude: boolean][]> {
  const evaluation_criteria = {
    ...TOY_TASK.evaluation_criteria,
    actions: [SELL],
    env_assertions: [SOLD],
    communicate_info: null,
    nl_assertions: null,
    reward_basis: ["ENV_ASSERTION"],
    ...criteria,
  };
  const source = await toyBundle({
    tasks: [{ ...TOY_TASK, evaluation_criteria, ...texts }],
  });
  return tau3Faults(source, source.task("cup")).map((
    { check, evidence, exclude },
  ) => [check, evidence, exclude]);
}

Deno.test("tau3Faults() finds nothing in a correct task", async () => {
  assert.deepEqual(await faultsOf({}), []);
});

Deno.test("tau3Faults() finds expected actions that fail, flagged if none writes", async () => {
  const fails = { ...SELL, arguments: { item: "nothing" } };
  const found = await faultsOf({ actions: [fails, SELL] });
  assert.deepEqual(found[0], [
    "gold_error",
    '{"item": "nothing"}: Error: Nothing is no item',
    false,
  ]);
  const alone = await faultsOf({ actions: [fails] });
  assert.deepEqual(alone.map(([check, , exclude]) => [check, exclude]), [
    ["gold_error", true],
    ["failing_gold", true],
  ]);
});

Deno.test("tau3Faults() finds tasks that the do-nothing baseline solves, flagged unless a judge could reject them", async () => {
  const criteria = { actions: [], env_assertions: [], reward_basis: ["DB"] };
  assert.deepEqual(
    (await faultsOf(criteria)).map(([check, , exclude]) => [
      check,
      exclude,
    ]),
    [["idle", true]],
  );
  const judged = await faultsOf({
    ...criteria,
    nl_assertions: ["The agent is kind."],
    reward_basis: ["DB", "NL_ASSERTION"],
  });
  assert.deepEqual(judged.map(([check, , exclude]) => [check, exclude]), [
    ["idle", false],
  ]);
});

Deno.test("tau3Faults() finds expected databases that the expected conversation does not reach", async () => {
  const actions = [SELL, PRESS];
  const lit = { env_type: "user", func_name: "lit", arguments: {} };
  const found = await faultsOf({ actions, env_assertions: [SOLD, lit] });
  assert.deepEqual(found, [[
    "hidden_state",
    "shop one lamp: false expected, true reached",
    false,
  ]]);
  const counted = await faultsOf({ actions, reward_basis: ["DB"] });
  assert.deepEqual(
    counted.map(([check, , exclude]) => [check, exclude]).slice(0, 2),
    [["failing_gold", true], ["hidden_state", true]],
  );
});

Deno.test("tau3Faults() finds steps that can be omitted and says whether they change anything", async () => {
  const found = await faultsOf({
    actions: [SELL, PRESS, PRESS, SELL],
    env_assertions: [SOLD],
  });
  assert.deepEqual(
    found.filter(([check]) => check === "spare_step").map(([, why]) => why),
    [
      'no check requires the change, or a later action overwrites it: sell {"item": "cup"}',
      "no check requires the change, or a later action overwrites it: press {}",
      "no check requires the change, or a later action overwrites it: press {}",
      'the call changes nothing: sell {"item": "cup"}',
    ],
  );
});

Deno.test("tau3Faults() finds criteria that do not count", async () => {
  const found = await faultsOf({
    communicate_info: ["1000"],
    nl_assertions: ["The agent is kind."],
  });
  assert.deepEqual(found.map(([check, evidence]) => [check, evidence]), [
    ["uncounted", "1000"],
    ["uncounted", "The agent is kind."],
  ]);
  assert.deepEqual(
    await faultsOf({
      communicate_info: ["1000"],
      nl_assertions: ["Agent should say that it costs 1,000."],
      reward_basis: ["ENV_ASSERTION", "NL_ASSERTION"],
    }),
    [],
    "the assertion holds what is to be told",
  );
});

Deno.test("tau3Faults() finds missing tools and issues noted by the authors", async () => {
  const { instructions } = TOY_TASK.user_scenario;
  const found = await faultsOf({
    actions: [SELL, { ...SELL, name: "give_away" }],
  }, {
    user_scenario: {
      persona: null,
      instructions: {
        ...instructions,
        task_instructions: "Use `get_lamp` and `press`, not get_cup.",
      },
    },
    issues: [{ id: "issue_1", title: "There is no lamp." }],
  });
  assert.deepEqual(
    found.filter(([check]) => check === "missing_tool" || check === "noted"),
    [
      ["missing_tool", "an expected action calls it", true],
      ["missing_tool", "the user is told to use it", false],
      ["noted", "There is no lamp.", false],
    ],
  );
});

/** Returns the ids of faulty tasks in a domain's base split, keyed by check. */
async function faultyTasks(
  domain: string,
): Promise<Map<string, string[]>> {
  const source = await loadTau3(TAU3_BENCH, domain);
  const found = new Map<string, string[]>();
  for (const task of source.tasksOf("base")) {
    for (const check of new Set(tau3Faults(source, task).map((f) => f.check))) {
      found.set(check, [...found.get(check) ?? [], task.id]);
    }
  }
  return found;
}

Deno.test({
  name:
    "tau3Faults() confirms the retail faults that upstream's issues name, and finds two more",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const found = await faultyTasks("retail");
    const idsOf = (check: string) => found.get(check)?.join(" ");
    assert.equal(idsOf("tool_fault"), "20 21 36 37 100");
    assert.equal(idsOf("idle"), "10 12 24 25 50 57 62 65 67 68 105");
    assert.equal(idsOf("noted"), "4 5 7");
    assert.equal(idsOf("spare_step"), "22 64 110");
    assert.equal(idsOf("failing_gold"), undefined);
    const errors = found.get("gold_error") ?? [];
    for (const id of ["2", "3", "4", "105"]) assert.ok(errors.includes(id));
    const uncounted = found.get("uncounted") ?? [];
    for (const id of ["26", "50", "30", "31", "32", "38", "45", "61"]) {
      assert.ok(uncounted.includes(id), id);
    }
  },
});

Deno.test({
  name:
    "tau3Faults() finds airline's idle tasks and telecom's unreachable states",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const airline = await faultyTasks("airline");
    assert.equal(
      airline.get("idle")?.join(" "),
      "0 1 2 4 5 6 9 10 13 26 27 28 31 34 36 38 41 43 45 46 47 48 49",
    );
    const telecom = await faultyTasks("telecom");
    assert.deepEqual(
      [...telecom].map(([check, ids]) => [check, ids.length]).sort(),
      [
        ["hidden_state", 71],
        ["missing_tool", 114],
        ["spare_step", 5],
        ["unknowable", 30],
      ],
    );
    assert.ok(
      telecom.get("unknowable")?.every((id) => id.startsWith("[mms_issue]")),
    );
  },
});

Deno.test("tau3Faults() finds only unreachable states in composed telecom tasks", () =>
  inTempDir(async (dir) => {
    const { files } = telecomBundle({ seed: 3, count: 25, options: {} });
    await writeFiles(dir, files);
    const source = await loadTau3(dir, "telecom");
    const checks = source.tasks.flatMap((task) =>
      tau3Faults(source, task).map(({ check }) => check)
    );
    assert.deepEqual([...new Set(checks)], ["hidden_state"]);
  }));

Deno.test({
  name:
    "inEverySplit() excludes a task from each split that has it, by its id there",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const dataset = await tau3Bench(TAU3_BENCH, { domain: "retail" });
    const split = dataset.tasks("test").some(({ id }) =>
        id === "retail/test/10"
      )
      ? "test"
      : "train";
    const flagged = { task: "retail/base/10", reason: "idle" };
    assert.deepEqual(inEverySplit([flagged], dataset), [
      flagged,
      { task: `retail/${split}/10`, reason: "idle" },
    ]);
    const left = withoutTasks(dataset, inEverySplit([flagged], dataset));
    for (const one of ["base", split] as const) {
      assert.equal(
        left.tasks(one).length,
        dataset.tasks(one).length - 1,
      );
    }
  },
});

Deno.test({
  name:
    "audit() of τ³-bench adds the benchmark's checks: users and orders shared between splits",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const dataset = await tau3Bench(TAU3_BENCH, { domain: "retail" });
    const report = audit(dataset, {
      splits: ["train", "test"],
      checks: ["shared_rows", "tool_fault"],
    });
    assert.deepEqual(report.overlaps, [
      { splits: ["train", "test"], users: 22, rows: 45 },
    ]);
    assert.deepEqual(
      report.exclusions.map(({ task }) => task).sort(),
      ["100", "20", "21", "36", "37"].map((id) =>
        dataset.tasks("train").some((task) => task.id === `retail/train/${id}`)
          ? `retail/train/${id}`
          : `retail/test/${id}`
      ).sort(),
    );
    assert.ok(report.hasRules);
  },
});
