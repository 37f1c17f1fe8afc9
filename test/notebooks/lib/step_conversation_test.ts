import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { tau3Bench } from "../../../env/benchmarks/tau3/tau3_bench.ts";
import { generated } from "../../../env/generated/generated.ts";
import { STOP } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { Conversation } from "../../../notebooks/lib/step_conversation.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../../support/tau3_bench.ts";

const dataset = await generated(5, {
  trainTasks: 20,
  devTasks: 1,
  testTasks: 1,
  intents: { question: 0 },
  refusedShare: 0,
});

function open(index = 0): Promise<Conversation> {
  return Conversation.open({
    dataset,
    task: dataset.tasks("train")[index]!,
    user: scriptedUser(dataset),
    agent: expertAgent(),
  });
}

Deno.test("Conversation: the expert, restarted for each turn, solves every task", async () => {
  for (const index of dataset.tasks("train").keys()) {
    const talk = await open(index);
    await talk.finish();
    assert.equal(talk.isOver, true);
    assert.equal(talk.reward().value, 1, dataset.tasks("train")[index]?.id);
  }
});

Deno.test("Conversation.fork() goes back to any turn, and its continuation is the same", async () => {
  const talk = await open();
  await talk.finish();
  for (let at = 0; at < talk.turns.length; at++) {
    const other = await talk.fork(at);
    assert.deepEqual(other.turns, talk.turns.slice(0, at));
    await other.finish();
    assert.deepEqual(
      other.turns.map(({ observation }) => observation),
      talk.turns.map(({ observation }) => observation),
    );
    assert.equal(other.reward().value, 1);
  }
});

Deno.test("Conversation.fork() leaves the original unchanged and writes separately", async () => {
  const talk = await open();
  await talk.finish();
  const [hash, length] = [talk.database.hash(), talk.turns.length];
  const other = await talk.fork(0);
  assert.equal(other.database.hash(), dataset.database.fork().hash());
  await other.say("goodbye");
  assert.equal(talk.turns.length, length);
  assert.equal(talk.database.hash(), hash);
  await assert.rejects(() => talk.fork(length + 1), RangeError);
});

Deno.test("Conversation.call() shows what a write changed, and diagnosis() finds a wrong one", async () => {
  const tasks = dataset.tasks("train");
  const index = tasks.findIndex(({ intent }) => intent === "cancel");
  const gold = tasks[index]!.actions.at(-1)!.arguments;
  const talk = await open(index);
  const { steps } = talk;
  await talk.finish();
  const write = steps.findIndex(({ before, after }) =>
    before.diff(after).length > 0
  );
  assert.ok(write > 0);
  const other = await talk.fork(write);
  const reason = gold.get("reason") === "no longer needed"
    ? "ordered by mistake"
    : "no longer needed";
  const shown = await other.call("cancel_pending_order", {
    order_id: String(gold.get("order_id")),
    reason,
  });
  assert.match(shown.text, new RegExp(`cancel_reason.*"${reason}"`));
  await other.say("Goodbye.");
  const { decisive } = other.diagnosis();
  assert.equal(other.reward().parts.database, 0);
  assert.equal(decisive?.kind, "write");
  assert.equal(decisive.turn, write);
});

Deno.test("Conversation.answerNext() replaces the user's next reply, once", async () => {
  const talk = await open();
  talk.answerNext("I have changed my mind.");
  await talk.say("How can I help?");
  assert.equal(talk.turns[0]?.observation.content, "I have changed my mind.");
  await talk.say("And now?");
  assert.notEqual(
    talk.turns[1]?.observation.content,
    "I have changed my mind.",
  );
  talk.answerNext(STOP);
  await talk.say("Bye.");
  assert.equal(talk.isOver, true);
});

Deno.test("Conversation.act() reports a missing agent", async () => {
  const talk = await Conversation.open({
    dataset,
    task: dataset.tasks("train")[0]!,
    user: scriptedUser(dataset),
  });
  await assert.rejects(
    () => talk.act(),
    /the conversation was opened without an agent/,
  );
});

Deno.test({
  name:
    "Conversation: a telecom task, where the user acts on their phone, is stepped through and forked",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const telecom = await tau3Bench(TAU3_BENCH, { domain: "telecom" });
    const talk = await Conversation.open({
      dataset: telecom,
      task: telecom.tasks("small")[0]!,
      user: scriptedUser(telecom),
      agent: expertAgent(),
    });
    await talk.finish(100);
    assert.deepEqual([talk.isOver, talk.reward().value], [true, 1]);
    const acted = talk.turns.findIndex(({ observation }) =>
      observation.userCalls !== undefined
    );
    assert(acted >= 0);
    assert.match(talk.show().text, /user calls/);
    assert.match(talk.show().text, /the user's database/);
    for (const at of [0, acted + 1, talk.turns.length - 1]) {
      const other = await talk.fork(at);
      assert.deepEqual(other.turns, talk.turns.slice(0, at));
      await other.finish(100);
      assert.deepEqual(
        other.turns.map(({ observation }) => observation.content),
        talk.turns.map(({ observation }) => observation.content),
      );
      assert.equal(other.reward().value, 1);
    }
    const whatIf = await talk.fork(acted);
    whatIf.answerNext("###STOP###");
    await whatIf.say("Goodbye.");
    assert.equal(whatIf.isOver, true);
    assert.equal(whatIf.diagnosis().decisive?.kind, "ending");
  },
});
