import assert from "node:assert/strict";
import { tau3TaskSchema } from "../../../../../env/benchmarks/tau3/tau3_task.ts";
import { faultOf } from "../../../../../env/domains/telecom/world/certify_task.ts";
import {
  type ComposedWorld,
  type ComposeOptions,
  composeTelecom,
} from "../../../../../env/domains/telecom/world/compose_tasks.ts";
import { FAULTS } from "../../../../../env/domains/telecom/world/phone_faults.ts";
import { ConfigError } from "../../../../../env/errors.ts";
import {
  type JsonValue,
  printPythonJson,
} from "../../../../../env/python/python_json.ts";
import type { Tau3Task } from "../../../../../env/benchmarks/tau3/tau3_task.ts";
import {
  linesOf,
  rewardOf,
  talkAbout,
  type TalkOptions,
  type TalkSource,
  telecomSource,
} from "../../../../support/telecom_talk.ts";
import { NO_TAU3_BENCH } from "../../../../support/tau3_bench.ts";

const WORLD = composeTelecom({ seed: 7, count: 60, faults: [1, 6] });

function textsOf({ agent, tasks }: ComposedWorld): string[] {
  return [agent, ...tasks.map(({ task }) => task)].map((one) =>
    printPythonJson(one)
  );
}

Deno.test("composeTelecom() returns the same tasks for the same seed, and different ones for another", () => {
  const again = composeTelecom({ seed: 7, count: 60, faults: [1, 6] });
  assert.deepEqual(textsOf(again), textsOf(WORLD));
  const other = composeTelecom({ seed: 8, count: 60, faults: [1, 6] });
  const shared = textsOf(other).filter((text) => textsOf(WORLD).includes(text));
  assert.deepEqual(shared, []);
});

Deno.test("composed tasks are broken, and their gold fixes them with only necessary and allowed steps", () => {
  for (const { plan, gold, faults } of WORLD.tasks) {
    assert.equal(faultOf(plan, gold), null, faults.join());
    if (plan.isHopeless) continue;
    const setUp = [...plan.setUp, ...gold];
    assert.equal(faultOf({ ...plan, setUp }, gold), "nothing is broken");
    assert.equal(
      faultOf(plan, gold.slice(1)),
      "the gold actions do not fix the problem",
    );
    const needless = { actor: "user", name: "toggle_wifi", args: {} } as const;
    assert.equal(
      faultOf(plan, [...gold, needless]),
      'the gold action "toggle_wifi" is redundant',
    );
  }
});

Deno.test("faultOf() rejects gold actions that the policy forbids", () => {
  const { plan, gold } = WORLD.tasks.find(({ gold }) =>
    gold.some(({ name }) => name === "refuel_data")
  )!;
  assert.match(
    faultOf({ ...plan, agreedGb: 0.1 }, gold)!,
    /^refuel_data: the amount must equal the amount that the user agreed to$/,
  );
});

Deno.test("composed tasks cover every fault", () => {
  const { tasks } = composeTelecom({ seed: 1, count: 150, hopeless: 0.3 });
  const seen = new Set(tasks.flatMap(({ faults }) => faults));
  assert.deepEqual(
    FAULTS.map(({ name }) => name).filter((name) => !seen.has(name)),
    [],
  );
});

Deno.test("composeTelecom() respects its options", () => {
  const compose = (options: Partial<ComposeOptions>) =>
    composeTelecom({ seed: 3, count: 20, ...options }).tasks;
  for (const { faults } of compose({ faults: [3, 3], hopeless: 0 })) {
    assert.equal(faults.length, 3);
  }
  for (const { task } of compose({ complaints: ["mms"] })) {
    assert.match(String(task.get("id")), /^\[mms\]/);
  }
  const kinds = compose({ kinds: ["vpn", "mode", "sim"], hopeless: 0 });
  assert.deepEqual(
    [...new Set(kinds.flatMap(({ faults }) => faults))].sort(),
    ["old_network", "sim_card_out", "vpn_slow"],
  );
  for (const { plan } of compose({ hopeless: 1 })) {
    assert.equal(plan.isHopeless, true);
  }
  const actorsOf = (actors: ComposeOptions["actors"]) =>
    compose({ hopeless: 0, actors: actors! }).map(({ gold }) =>
      [...new Set(gold.map(({ actor }) => actor))].sort().join()
    );
  assert.deepEqual([...new Set(actorsOf("user"))], ["user"]);
  assert.deepEqual([...new Set(actorsOf("agent"))], ["assistant"]);
  assert.deepEqual([...new Set(actorsOf("both"))], ["assistant,user"]);
  assert.ok(
    compose({ personas: true }).some(({ task }) =>
      !String(task.get("id")).includes("PERSONA:None")
    ),
  );
  const { agent } = composeTelecom({ seed: 3, count: 20, linesMax: 1 });
  const [customers, lines] = ["customers", "lines"].map((table) =>
    agent.get(table) as JsonValue[]
  );
  assert.equal(lines?.length, customers?.length);
  assert.throws(
    () => compose({ complaints: ["service"], faults: [9, 9] }),
    ConfigError,
  );
});

/**
 * Returns the initial state and the tasks of a composed world in the form that conversations under the benchmark's
 * rules need.
 */
async function played(
  { agent, tasks }: ComposedWorld,
): Promise<{ source: TalkSource; tasks: Tau3Task[] }> {
  const source = await telecomSource();
  const databases = source.part.load({ agent, user: new Map() });
  return {
    source: { ...source, databases },
    tasks: tasks.map(({ task }) => tau3TaskSchema.parse(task)),
  };
}

Deno.test(
  "telecom's expert solves every composed task, and talk alone solves none",
  { ignore: NO_TAU3_BENCH },
  async () => {
    const { source, tasks } = await played(WORLD);
    const solves = async (task: Tau3Task, options: Partial<TalkOptions>) => {
      const talk = talkAbout(task, { source, ...options });
      const reward = await rewardOf(task, { source, talk });
      return { isSolved: reward === 1, lines: linesOf(talk.messages) };
    };
    for (const task of tasks) {
      const { isSolved, lines } = await solves(task, {});
      assert.ok(isSolved, `${task.id}\n${lines.join("\n")}`);
      const isPassedOn = lines.at(-1)?.includes("###TRANSFER###");
      assert.equal(isPassedOn, task.criteria?.rewardBasis.includes("ACTION"));
      const idle = await solves(task, {
        *agent({ desk }) {
          while (true) yield* desk.say("thank you for your patience.");
        },
      });
      assert.equal(idle.isSolved, false, task.id);
    }
  },
);
