import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rollout } from "../../../env/rollout.ts";
import { domainOf } from "../../../env/domains/registry.ts";
import type { Task, Turn, UserFactory, UserFault } from "../../../env/types.ts";
import { trackUser } from "../../../env/users/tracker.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { canHave, faultyUser } from "../../support/faulty_users.ts";

const dataset = await generated(11, {
  trainTasks: 800,
  devTasks: 1,
  testTasks: 1,
});
const scripted = scriptedUser(dataset);
const FAULTS = ["leak", "invention", "early_stop", "echo", "endless"] as const;

async function findingsOf(task: Task, user: UserFactory): Promise<UserFault[]> {
  const { findings } = await rollout({
    dataset,
    task,
    user,
    userName: "faulty",
    agent: expertAgent(),
    seed: task.index,
    now: () => 0,
  });
  return (findings ?? []).map(({ fault }) => fault);
}

Deno.test("trackUser() finds no faults of the scripted user", async () => {
  for (const task of dataset.tasks("train")) {
    assert.deepEqual(await findingsOf(task, scripted), [], task.id);
  }
});

Deno.test("trackUser(): precision and recall on seeded faults in phrasings that it was not tuned on", async () => {
  const tasks = dataset.tasks("train");
  const counts = new Map(
    FAULTS.map((fault) => [fault, { injected: 0, found: 0, false: 0 }]),
  );
  for (const fault of [...FAULTS, null]) {
    const user = faultyUser(scripted, { fault, wording: "held_out" });
    const able = tasks.filter((task) => fault === null || canHave(fault, task));
    for (const task of able.slice(0, 120)) {
      const found = await findingsOf(task, user);
      for (const kind of FAULTS) {
        const count = counts.get(kind)!;
        if (kind === fault) {
          count.injected++;
          if (found.includes(kind)) count.found++;
        } else if (found.includes(kind)) count.false++;
      }
    }
  }
  const rows = [...counts].map((
    [fault, { injected, found, false: wrong }],
  ) => ({
    fault,
    injected,
    found,
    missed: injected - found,
    false: wrong,
    precision: found / (found + wrong),
    recall: found / injected,
  }));
  console.table(rows);
  for (const { fault, injected, precision, recall } of rows) {
    assert.ok(injected >= 60, `${fault}: ${injected} injected`);
    assert.ok(precision >= 0.95, `${fault}: precision ${precision}`);
    assert.ok(recall >= 0.9, `${fault}: recall ${recall}`);
  }
});

/** Returns the faults that are found in a user who answers the given questions with the given messages. */
function faultsOf(
  answers: readonly (readonly [heard: string, text: string])[],
  options: { readonly isScripted?: boolean } = {},
): UserFault[] {
  const task = dataset.tasks("train")[0]!;
  const turns: Turn[] = answers.map(([content, text]) => ({
    action: { type: "respond", content },
    observation: { source: "user", content: text, done: false },
  }));
  const found = trackUser({
    ...{ domain: domainOf(dataset), task, database: dataset.database, turns },
    firstMessage: "Hello, I need a hand with something.",
    ...options,
  });
  return (found ?? []).map(({ fault }) => fault);
}

const ANSWER = "I would rather you looked that up for me yourself";

Deno.test("trackUser() treats a repeated answer as an echo if the agent asked something else", () => {
  const other = [
    ["What is your email address?", ANSWER],
    ["Which of the items shall go back?", ANSWER],
  ] as const;
  assert.deepEqual(faultsOf(other), ["echo"]);
  assert.deepEqual(faultsOf(other, { isScripted: true }), []);
});

Deno.test("trackUser() does not blame a user who is asked again in other words", () => {
  const questions = [
    "What is your email address?",
    "Sorry, could you tell me your email address once more, please?",
    "I need the email address of your account.",
    "Email address?",
  ];
  assert.deepEqual(faultsOf(questions.map((one) => [one, ANSWER])), []);
});

Deno.test("trackUser() reports no echo for a script that repeats itself, but for one that recites its instruction", () => {
  const said = "Let me look at the order that you bought last month in detail";
  assert.deepEqual(faultsOf([[said, said]], { isScripted: true }), ["echo"]);
});
