import assert from "node:assert/strict";
import { evaluateSimulation } from "../../../../env/benchmarks/tau3/evaluators/evaluate_simulation.ts";
import {
  standInReward,
  standInVerdicts,
} from "../../../../env/benchmarks/tau3/evaluators/stand_in_judge.ts";
import {
  loadTau3,
  type Tau3Bundle,
} from "../../../../env/benchmarks/tau3/load_bundle.ts";
import { rewardInfoObject } from "../../../../env/benchmarks/tau3/tau3_reward.ts";
import type {
  ExpectedAction,
  Tau3Task,
} from "../../../../env/benchmarks/tau3/tau3_task.ts";
import type { JsonObject } from "../../../../env/python/python_json.ts";
import { STAND_IN } from "../../../../env/types.ts";
import {
  NO_TAU3_BENCH,
  TAU3_BENCH,
  tau3Records,
} from "../../../support/tau3_bench.ts";
import { jsonOf, TOY_TASK, toyBundle } from "../../../support/tau3_toy.ts";
import { buildConversation } from "../../../../env/benchmarks/tau3/audit/build_conversation.ts";

/**
 * Returns the stand-in judge's verdict on an assertion about the agent's message `said`, which answers the user's
 * message `asked`. Returns `null` if the judge cannot decide.
 */
async function verdictOn(
  assertion: string,
  said: string,
  asked = "Hello.",
): Promise<boolean | null> {
  const { source, task } = await toyAsserting([assertion]);
  const messages = buildConversation(source, task, { asked, say: [said] });
  return standInVerdicts({ source, task, messages })[0]?.met ?? null;
}

async function toyAsserting(
  nl_assertions: readonly string[],
  criteria: Record<string, unknown> = {},
): Promise<{ source: Tau3Bundle; task: Tau3Task }> {
  const evaluation_criteria = {
    ...TOY_TASK.evaluation_criteria,
    nl_assertions,
    ...criteria,
  };
  const source = await toyBundle({
    tasks: [{ ...TOY_TASK, evaluation_criteria }],
    files: {
      "db.json":
        '{"item": "box", "lamp": false, "price": 1.0, "colour": ["red", "blue"]}',
    },
  });
  return { source, task: source.task("cup") };
}

const REFUND = "Agent should tell the user the total refund is $8,276.23.";

Deno.test("standInVerdicts() finds a stated amount in any spelling", async () => {
  for (
    const said of [
      "The total refund comes to $8276.23.",
      "Total refund: **$8,276.23**",
      "3131.10 + 4777.75 + 367.38 makes 8276.23 in total",
      "Summary: 8276.23.",
    ]
  ) assert.equal(await verdictOn(REFUND, said), true, said);
  for (
    const said of ["I have cancelled them.", "The total is $8,276.32.", ""]
  ) assert.equal(await verdictOn(REFUND, said), false, said);
});

Deno.test("standInVerdicts() cannot decide on rounded or negated amounts, or on one of several amounts", async () => {
  for (
    const said of [
      "The refund is about $8,276.",
      "The refund is not $8,276.23.",
      "Your orders: $8,276.23, $12.99, $17.50.",
    ]
  ) assert.equal(await verdictOn(REFUND, said), null, said);
});

Deno.test("standInVerdicts() requires small numbers next to what they count", async () => {
  const assertion =
    "Agent should tell the user that there are 10 t-shirt options available.";
  const cases: [string, boolean | null][] = [
    ["We have 10 T-shirts.", true],
    ["There are ten options", true],
    ["There are 12 of them. I can help until 10 today.", null],
    ["It arrived on March 10.", null],
    ["There are 12 t-shirts.", false],
    ["I looked at order #W10.", false],
  ];
  for (const [said, met] of cases) {
    assert.equal(await verdictOn(assertion, said), met, said);
  }
  const list = Array.from(
    { length: 10 },
    (_, i) => `- shirt ${"abcdefghij"[i]}`,
  );
  assert.equal(await verdictOn(assertion, list.join("\n")), null);
  const battery = "Agent should tell the user the battery life is 20 hours.";
  assert.equal(await verdictOn(battery, "It runs for 20-hour days"), true);
});

Deno.test("standInVerdicts() accepts a word as an answer unless another value is next to it", async () => {
  const assertion = "Agent should tell the user the colour is red.";
  const cases: [said: string, asked: string, met: boolean | null][] = [
    ["Red.", "Which colour is it?", true],
    ["The colour is Red", "Hello.", true],
    ["Red.", "Hello.", null],
    ["The colours are red and blue.", "Hello.", null],
    ["The colour is green.", "Hello.", false],
    ["We delivered the colour.", "Hello.", false],
    ["The colour is not red.", "Hello.", null],
    ["The colour isn't a bright red.", "Hello.", null],
    ["A red-tinted colour", "Hello.", true],
  ];
  for (const [said, asked, met] of cases) {
    assert.equal(await verdictOn(assertion, said, asked), met, said);
  }
  const ranked =
    "Agent should tell the user the most expensive item is the camera.";
  assert.equal(
    await verdictOn(ranked, "The items: a camera, a lamp."),
    null,
    "a list does not say which",
  );
  assert.equal(
    await verdictOn(ranked, "The highest price has the item camera."),
    true,
  );
});

Deno.test("standInVerdicts() requires a complete address", async () => {
  const assertion =
    "Agent should tell the user the order was shipped to 943 Maple Drive, Suite 356, Chicago, IL 60621.";
  assert.equal(
    await verdictOn(
      assertion,
      "To 943 Maple Drive, Suite 356,\nChicago, IL 60621",
    ),
    true,
  );
  assert.equal(await verdictOn(assertion, "To Chicago."), null);
  assert.equal(await verdictOn(assertion, "To Boston."), false);
});

Deno.test("standInVerdicts() checks actions in the final database, regardless of the agent's messages", async () => {
  const { source, task } = await toyAsserting(["Agent should sell the cup."]);
  const sell = (item: string): ExpectedAction[] =>
    (task.criteria?.actions ?? []).filter(({ name }) => name === "sell").map(
      (action) => ({ ...action, arguments: new Map([["item", item]]) }),
    );
  const metAfter = (acts: ExpectedAction[]) => {
    const messages = buildConversation(source, task, {
      acts,
      say: ["I sold the cup."],
    });
    return standInVerdicts({ source, task, messages })[0]?.met;
  };
  assert.equal(metAfter(sell("cup")), true);
  assert.equal(metAfter(sell("lid")), null, "something else was sold");
  assert.equal(metAfter([]), false);
});

Deno.test("standInVerdicts() cannot decide on unknown forms, negations and actions that are not expected", async () => {
  for (
    const assertion of [
      "The agent is kind.",
      "Agent should not sell the cup.",
      "Agent should press the lamp.",
    ]
  ) assert.equal(await verdictOn(assertion, "I sold the cup."), null);
});

Deno.test("evaluateSimulation() with the stand-in judge is unjudged if it cannot decide, and fails if a claim was not said", async () => {
  const about = "Agent should tell the user the price is $4.20.";
  const { source, task } = await toyAsserting(
    [about, "Agent should be kind."],
    {
      reward_basis: ["NL_ASSERTION"],
    },
  );
  const rewardOf = (say: string[]) =>
    evaluateSimulation({
      source,
      task,
      messages: buildConversation(source, task, { say }),
      terminationReason: "user_stop",
      judge: STAND_IN,
    });
  const unknown = await rewardOf(["The price is $4.20."]);
  assert.equal(unknown.value, null);
  assert.match(
    jsonOf(rewardInfoObject(unknown)),
    /"met": true, .*"met": null, .*"NL_ASSERTION": null/,
  );
  assert.equal((await rewardOf(["It is cheap."])).value, 0);
  const none = await toyAsserting([]);
  const messages = buildConversation(none.source, none.task, { say: [] });
  assert.equal(standInReward({ ...none, messages }).value, 1);
});

/**
 * Counts the tasks whose rewards depend on assertions, and counts these assertions by the stand-in judge's verdict. For
 * each assertion without a verdict, lists the id of its task.
 */
function countVerdicts(
  source: Tau3Bundle,
  sayOf: (
    task: Tau3Task,
  ) => { acts: readonly ExpectedAction[]; say: readonly string[] },
): { tasks: number; met: number; notMet: number; unknown: string[] } {
  const counts = { tasks: 0, met: 0, notMet: 0, unknown: [] as string[] };
  for (const task of source.tasks) {
    const { criteria } = task;
    if (!criteria?.rewardBasis.includes("NL_ASSERTION")) continue;
    if ((criteria.nlAssertions ?? []).length === 0) continue;
    counts.tasks++;
    const messages = buildConversation(source, task, sayOf(task));
    for (const { met } of standInVerdicts({ source, task, messages })) {
      if (met === true) counts.met++;
      else if (met === false) counts.notMet++;
      else counts.unknown.push(task.id);
    }
  }
  return counts;
}

Deno.test({
  name:
    "standInVerdicts() judges the benchmark's 61 assertions: met if said and done, not met otherwise",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const source = await loadTau3(TAU3_BENCH, "retail");
    const told = countVerdicts(source, ({ criteria }) => ({
      acts: criteria?.actions ?? [],
      say: (criteria?.nlAssertions ?? []).map((text) =>
        text.replace(/^Agent should (?:tell the user(?: that)?|provide) /, "")
      ),
    }));
    // The expected exchange of 105 is rejected, and the expected address of 110 is already the user's.
    assert.deepEqual(told, {
      tasks: 40,
      met: 59,
      notMet: 0,
      unknown: ["105", "110"],
    });
    const idle = countVerdicts(source, () => ({ acts: [], say: [] }));
    assert.deepEqual(idle, { ...told, met: 0, notMet: 59 });
  },
});

Deno.test({
  name:
    "standInVerdicts() finds none of the benchmark's numbers met if another one is stated",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const source = await loadTau3(TAU3_BENCH, "retail");
    const other = (text: string) =>
      text.replaceAll(/\d/g, (digit) => String((Number(digit) + 1) % 10));
    const wrong: string[] = [];
    let looked = 0;
    for (const task of source.tasks) {
      const { criteria } = task;
      if (!criteria?.rewardBasis.includes("NL_ASSERTION")) continue;
      const assertions = criteria.nlAssertions ?? [];
      const say = assertions.map(other);
      const messages = buildConversation(source, task, { say });
      const verdicts = standInVerdicts({ source, task, messages });
      for (const [i, text] of assertions.entries()) {
        if (!/\d/.test(text)) continue;
        looked++;
        if (verdicts[i]?.met === true) wrong.push(`${task.id}: ${text}`);
      }
    }
    assert.deepEqual([looked > 30, wrong], [true, []]);
  },
});

Deno.test({
  name:
    "standInVerdicts() agrees with the recorded verdicts that depend on the conversation",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const source = await loadTau3(TAU3_BENCH, "retail");
    const counts = { agree: 0, unknown: 0, differ: 0 };
    for (const record of await tau3Records("gold_retail")) {
      const task = source.task(String(record.get("task_id")));
      const say = (task.criteria?.nlAssertions ?? []).length;
      if (say === 0) continue;
      for (const trajectory of record.get("trajectories") as JsonObject[]) {
        // The recorded judge ignores the conversation. It agrees with everything or, in trajectories named `judge_no`,
        // with nothing.
        if (trajectory.get("name") !== "gold") continue;
        const said = trajectory.get("say") as string[];
        const info = trajectory.get("reward_info") as JsonObject;
        const acts = task.criteria?.actions ?? [];
        const messages = buildConversation(source, task, { acts, say: said });
        const verdicts = standInVerdicts({ source, task, messages });
        for (
          const [i, check]
            of (info.get("nl_assertions") as JsonObject[] | null ?? [])
              .entries()
        ) {
          const met = verdicts[i]?.met;
          if (met === null) counts.unknown++;
          else if (met === check.get("met")) counts.agree++;
          else counts.differ++;
        }
      }
    }
    assert.deepEqual(counts, {
      agree: 9,
      unknown: 5,
      differ: 0,
    });
  },
});
