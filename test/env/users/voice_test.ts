import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rollout } from "../../../env/rollout.ts";
import { STOP } from "../../../env/types.ts";
import { type Voice, voiced } from "../../../env/users/voice.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";

Deno.test("voiced() rewrites messages, and leaves the last one unchanged", () => {
  const say = (text: string, voice: Voice) => voiced(text, { voice, index: 0 });
  assert.equal(
    say("hi, i want to cancel order #W1.", "plain"),
    "hi, i want to cancel order #W1.",
  );
  assert.equal(
    say("hi, i want to cancel order #W1.", "terse"),
    "cancel order #W1.",
  );
  assert.equal(
    say("good day, could you return the lamp?", "terse"),
    "return the lamp.",
  );
  assert.equal(say("yes, please.", "terse"), "yes.");
  assert.match(say("yes.", "chatty"), /^yes\. \w/);
  assert.match(say("yes.", "impatient"), /^yes\. \w/);
  for (const voice of ["terse", "chatty", "impatient"] as const) {
    assert.equal(say(`bye. ${STOP}`, voice), `bye. ${STOP}`);
  }
});

/** Options for a world whose users all speak plainly and never change their minds. */
const PLAIN = {
  voices: { plain: 1, terse: 0, chatty: 0, impatient: 0 },
  changeOfMindShare: 0,
  fallbackShare: 0,
  holdOutPhrasings: false,
};

/** Returns the user's messages in each train task of a world. The expert plays the agent. */
async function spoken(options: Parameters<typeof generated>[1]) {
  const dataset = await generated(4, {
    trainTasks: 40,
    devTasks: 1,
    testTasks: 1,
    ...PLAIN,
    ...options,
  });
  const user = scriptedUser(dataset);
  return await Promise.all(
    dataset.tasks("train").map(async (task) => {
      const { messages, reward, findings } = await rollout({
        dataset,
        task,
        user,
        agent: expertAgent({ prompt: "none" }),
        userName: "scripted",
        seed: 9,
        maxTurns: 90,
        now: () => 0,
      });
      assert.equal(reward?.value, 1, task.id);
      assert.deepEqual(findings, [], task.id);
      return messages.filter(({ role }) => role === "user").map(({ content }) =>
        content
      );
    }),
  );
}

Deno.test("scriptedUser(): the expert serves each voice, and each differs from the plain one", async () => {
  const plain = (await spoken({})).flat().join("\n").length;
  const terse =
    (await spoken({ voices: { ...PLAIN.voices, plain: 0, terse: 1 } })).flat()
      .join("\n").length;
  const chatty =
    (await spoken({ voices: { ...PLAIN.voices, plain: 0, chatty: 1 } })).flat()
      .join("\n").length;
  assert.ok(terse < 0.9 * plain, `${terse} of ${plain}`);
  assert.ok(chatty > 1.3 * plain, `${chatty} of ${plain}`);
});

Deno.test("scriptedUser(): a user who changes their mind says so at the read-back", async () => {
  const conversations = await spoken({
    changeOfMindShare: 1,
    refusedShare: 0,
    intents: {
      exchange: 0,
      modify_items: 0,
      modify_payment: 0,
      return: 0,
      question: 0,
    },
  });
  for (const said of conversations) {
    const at = said.findIndex((text) => /changed my mind/.test(text));
    assert.ok(at > 0, said.join(" | "));
    assert.ok(said.slice(at + 1).some((text) => /^yes/.test(text)));
    assert.ok(!said.slice(0, at).some((text) => /^yes/.test(text)));
  }
});

Deno.test("scriptedUser(): a refused request is followed by an alternative", async () => {
  const conversations = await spoken({ refusedShare: 1, fallbackShare: 1 });
  const text = conversations.flat().join("\n");
  assert.match(text, /then i want to|in that case, please|then can you/);
});

Deno.test("scriptedUser(): held-out phrasings occur only in dev and test", async () => {
  const dataset = await generated(6, {
    trainTasks: 60,
    devTasks: 20,
    testTasks: 20,
    wording: 6,
    ...PLAIN,
    holdOutPhrasings: true,
    intents: { question: 0 },
  });
  const user = scriptedUser(dataset);
  const openings = async (split: "train" | "dev" | "test") => {
    const all = await Promise.all(
      dataset.tasks(split).map((task) => user(task, { seed: 1 }).open()),
    );
    const start = /^[a-z, ]*?(?=(cancel|return|exchange|change|ship|pay) )/;
    return new Set(all.map((text) => start.exec(text)?.[0]));
  };
  const train = await openings("train");
  for (const split of ["dev", "test"] as const) {
    const held = await openings(split);
    assert.ok(held.size > 0);
    assert.deepEqual([...held].filter((one) => train.has(one)), []);
  }
});
