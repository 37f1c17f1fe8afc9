import assert from "node:assert/strict";
import type { Desk, Script } from "../../../../env/agents/desk.ts";
import {
  type Tau3Task,
  tau3TaskSchema,
} from "../../../../env/benchmarks/tau3/tau3_task.ts";
import {
  linesOf,
  rewardOf,
  talkAbout,
  type TalkOptions,
  telecomSource,
} from "../../../support/telecom_talk.ts";
import { telecomSplit, telecomTasks } from "../../../support/telecom_world.ts";
import { NO_TAU3_BENCH } from "../../../support/tau3_bench.ts";

const CASES = { ignore: NO_TAU3_BENCH };

function tasksOf(split: string): Tau3Task[] {
  const ids = telecomSplit(split);
  return telecomTasks().map((task) => tau3TaskSchema.parse(task))
    .filter(({ id }) => ids.has(id));
}

/** Checks whether the expert solves a task and transfers the user if and only if the task requires it. */
async function solves(
  task: Tau3Task,
  options: TalkOptions,
): Promise<boolean> {
  const talk = talkAbout(task, options);
  const isPassedOn = linesOf(talk.messages).at(-1)?.includes("###TRANSFER###");
  const mustBe = task.criteria?.rewardBasis.includes("ACTION");
  const { source } = options;
  return isPassedOn === mustBe && await rewardOf(task, { source, talk }) === 1;
}

Deno.test(
  "telecom's expert solves every base task with the scripted user, for any seed",
  CASES,
  async () => {
    const source = await telecomSource();
    const tasks = tasksOf("base");
    assert.equal(tasks.length, 114);
    for (const [seed, task] of tasks.entries()) {
      assert.ok(await solves(task, { source, seed }), task.id);
      const [lines, again] = [1, 2].map(() =>
        linesOf(talkAbout(task, { source, seed }).messages)
      );
      assert.deepEqual(again, lines, "the same seed, the same conversation");
    }
  },
);

Deno.test("telecom's expert solves the full set of tasks", CASES, async () => {
  const source = await telecomSource();
  const tasks = tasksOf("full");
  assert.equal(tasks.length, 2285);
  const failed: string[] = [];
  for (const task of tasks) {
    if (!await solves(task, { source })) failed.push(task.id);
  }
  assert.deepEqual(failed, []);
});

Deno.test(
  "an agent that only talks solves no telecom task",
  CASES,
  async () => {
    const source = await telecomSource();
    function* agent({ desk }: { readonly desk: Desk }): Script {
      while (true) yield* desk.say("thank you for your patience.");
    }
    for (const task of tasksOf("small")) {
      assert.equal(await solves(task, { source, agent }), false, task.id);
    }
  },
);

Deno.test(
  "telecom's expert makes no rejected call, and one call at a time",
  CASES,
  async () => {
    const source = await telecomSource();
    for (const task of tasksOf("base")) {
      const { errors, messages } = talkAbout(task, { source });
      assert.equal(errors, 0, task.id);
      for (const message of messages) {
        if (
          message.role !== "assistant" || message.toolCalls === null
        ) continue;
        assert.equal(message.toolCalls.length, 1);
        assert.equal(message.content, null);
      }
    }
  },
);
