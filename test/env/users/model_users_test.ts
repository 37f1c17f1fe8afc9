import assert from "node:assert/strict";
import { generated } from "../../../env/generated/generated.ts";
import { loadTauBench } from "../../../env/benchmarks/tau/tau_bench.ts";
import { InfrastructureError } from "../../../env/errors.ts";
import { STOP, type Task, type UserFactory } from "../../../env/types.ts";
import { llmUser } from "../../../env/users/llm.ts";
import { reactUser } from "../../../env/users/react.ts";
import { reflectionUser } from "../../../env/users/reflection.ts";
import { verifyUser } from "../../../env/users/verify.ts";
import { userContract } from "../../contract/user_contract.ts";
import { answeringModel, sayingChatModel } from "../../support/chat_models.ts";
import { assertGolden } from "../../support/golden.ts";
import { NO_TAU_BENCH, TAU_BENCH } from "../../support/tau_bench.ts";

const dataset = await generated(1, {
  trainTasks: 1,
  devTasks: 1,
  testTasks: 1,
});
const [task] = dataset.tasks("test") as readonly [Task];
const USERS = { llmUser, reactUser, verifyUser, reflectionUser };

/** Creates a model that can play users of any strategy, and ends the conversation after three messages. */
function actor() {
  return answeringModel(({ messages }) => {
    const last = messages.at(-1)?.content ?? "";
    if (/true or .*false/.test(last)) return "true";
    const said = messages.filter(({ role }) => role === "assistant").length;
    const words = said < 3 ? `Well, this is ${said}` : STOP;
    return `Thought:\nhm\n\nUser Response:\n${words}`;
  });
}

for (const [name, make] of Object.entries(USERS)) {
  userContract(`${name}()`, {
    factory: () => make({ dataset, model: actor() }),
    task: () => task,
  });
  if (!NO_TAU_BENCH) {
    userContract(`${name}() with τ-bench's prompts`, {
      factory: async () =>
        make({
          dataset: await loadTauBench(TAU_BENCH, "retail"),
          model: actor(),
        }),
      task: () => task,
    });
  }

  Deno.test(`${name}() makes no request before the conversation opens, and adds up its usage`, async () => {
    const model = actor();
    const user = make({ dataset, model })(task, { seed: 1 });
    assert.equal(model.asked.length, 0);
    await user.open();
    await user.reply("Your email?");
    assert.equal(user.usage?.calls, model.asked.length);
    assert.equal(user.usage?.cost, model.asked.length / 2);
    assert.equal(
      new Set(model.asked.map(({ seed }) => seed)).size,
      model.asked.length,
    );
  });

  Deno.test(`${name}() reports a failure of its model as a failure of the user`, async () => {
    const model = answeringModel(() => {
      throw new InfrastructureError("busy", {
        kind: "rate_limited",
        source: "model",
      });
    });
    await assert.rejects(make({ dataset, model })(task, { seed: 1 }).open(), {
      kind: "rate_limited",
      source: "user",
    });
  });

  Deno.test(`${name}() fails with a bad response if its model repeatedly says nothing`, async () => {
    const model = sayingChatModel("  ");
    await assert.rejects(make({ dataset, model })(task, { seed: 1 }).open(), {
      name: "InfrastructureError",
      message: "The user's model returned an empty answer",
      kind: "bad_response",
      source: "user",
    });
    assert.equal(model.asked.length, 3);
  });

  Deno.test(`${name}() requests a message that was cut off again, and never sends it`, async () => {
    let proposals = 0;
    const model = answeringModel(({ messages }) => {
      const last = messages.at(-1)?.content ?? "";
      if (/true or .*false/.test(last)) return "true";
      return proposals++ === 0
        ? { content: "User Response: I want to retu", finishReason: "length" }
        : "User Response: I want to return it";
    });
    const said = await make({ dataset, model })(task, { seed: 1 }).open();
    assert.match(said, /I want to return it$/);
    assert.equal(proposals, 2);
    const cutModel = answeringModel(() => ({
      content: "User Response: I want to retu",
      finishReason: "length",
    }));
    const open = make({ dataset, model: cutModel })(task, { seed: 1 }).open();
    await assert.rejects(open, {
      message: /cut off at its token limit: "User Response: I want to retu"$/,
      kind: "bad_response",
      source: "user",
    });
  });
}

function open(factory: UserFactory) {
  return factory(task, { seed: 1 });
}

Deno.test("llmUser() gives the model its instruction, and the agent's messages in the role user", async () => {
  const model = sayingChatModel("Hi, it's me", "a@b.c");
  const user = open(llmUser({ dataset, model }));
  assert.equal(await user.open(), "Hi, it's me");
  assert.equal(await user.reply("Your email?"), "a@b.c");
  const [system, ...rest] = model.asked.at(-1)?.messages ?? [];
  assert.ok(system?.role === "system");
  assert.ok(system.content.includes(task.instruction));
  assert.ok(!system.content.includes("<<"));
  assert.deepEqual(rest, [
    { role: "user", content: dataset.prompts().user.firstAgentMessage },
    { role: "assistant", content: "Hi, it's me" },
    { role: "user", content: "Your email?" },
  ]);
});

Deno.test("llmUser() removes what is not meant for the agent; with compat it sends everything", async () => {
  const texts: [written: string, said: string][] = [
    ["<think>secret\nplan</think>\nHello", "Hello"],
    ["secret\nplan</think>\nHello", "Hello"],
    ["User: Hello", "Hello"],
    ["**Customer:** Hello", "Hello"],
    ['"Hello"', "Hello"],
    ["“Hello”", "Hello"],
    ["```\nHello\n```", "Hello"],
    ['My name is "Al"', 'My name is "Al"'],
    ["Note: it is urgent", "Note: it is urgent"],
  ];
  for (const [written, said] of texts) {
    const model = sayingChatModel(written);
    assert.equal(await open(llmUser({ dataset, model })).open(), said);
    const compat = llmUser({ dataset, model, compat: true });
    assert.equal(await open(compat).open(), written);
  }
});

Deno.test("llmUser() accepts the stop token in any case, but not as its first message", async () => {
  for (const stop of [STOP, `${STOP}.`, "### stop ###"]) {
    const model = sayingChatModel(stop, "Hello", stop);
    const user = open(llmUser({ dataset, model }));
    assert.equal(await user.open(), "Hello");
    assert.ok((await user.reply("Hi!")).includes(STOP));
    assert.equal(model.asked.length, 3);
  }
  const model = sayingChatModel(STOP);
  const compat = llmUser({ dataset, model, compat: true });
  assert.equal(await open(compat).open(), STOP);
});

Deno.test("llmUser() asks again if an answer was truncated in its reasoning", async () => {
  const model = sayingChatModel("<think>secret", "Hello");
  assert.equal(await open(llmUser({ dataset, model })).open(), "Hello");
  assert.equal(model.asked.length, 2);
});

Deno.test("llmUser() sends words next to a stop token before it stops; with compat they are lost", async () => {
  const model = sayingChatModel(`Yes, do it. ${STOP}`);
  const user = open(llmUser({ dataset, model }));
  assert.equal(await user.open(), "Yes, do it.");
  assert.match(await user.reply("Done."), /###STOP###/);
  const compat = open(llmUser({ dataset, model, compat: true }));
  assert.equal(await compat.open(), `Yes, do it. ${STOP}`);
});

Deno.test("reactUser() sends only the response, and keeps the thought in the conversation", async () => {
  const text = "Thought:\nI must not say STOP yet\n\nUser Response:\nHello";
  const model = sayingChatModel(text);
  const user = open(reactUser({ dataset, model }));
  assert.equal(await user.open(), "Hello");
  await user.reply("And?");
  assert.equal(model.asked[1]?.messages[2]?.content, text);
});

Deno.test("reactUser() reads the marker in any case, and asks again without one", async () => {
  const model = sayingChatModel(
    "Hello",
    "thought: x\n**user response:** Hello",
  );
  assert.equal(await open(reactUser({ dataset, model })).open(), "Hello");
  assert.equal(model.asked.length, 2);
});

Deno.test("reactUser() uses one response, and drops what the model imagines after it", async () => {
  const texts: [written: string, said: string][] = [
    ["Thought: a User Response: Hello", "Hello"],
    [
      "Thought:\nThe User Response: must be short\nUser Response:\nHello",
      "Hello",
    ],
    ["User Response:\nHello\n\nAgent: Hi\n\nUser Response:\nBye", "Hello"],
    ["<think>User Response: no</think>\n### User Response:\nHello", "Hello"],
    ["Thought: a\nUser Response: one\ntwo", "one\ntwo"],
  ];
  for (const [written, said] of texts) {
    const model = sayingChatModel(written);
    assert.equal(await open(reactUser({ dataset, model })).open(), said);
  }
});

Deno.test("reactUser() drops a stop token next to words, so that the conversation can go on", async () => {
  const text = `Thought: all said\nUser Response: Yes, do it. ${STOP}`;
  const model = sayingChatModel(text);
  const user = open(reactUser({ dataset, model }));
  assert.equal(await user.open(), "Yes, do it.");
  assert.ok((await user.reply("Done.")).includes(STOP));
  const kept = model.asked[1]?.messages[2]?.content;
  assert.equal(kept, "Thought: all said\nUser Response: Yes, do it.");
});

Deno.test("reactUser() with compat sends the thought, as τ-bench does", async () => {
  const cases: [text: string, said: string][] = [
    ["Thought:\nhm\n\nUser Response:\nHello", "hm\n\nUser Response:\nHello"],
    ["User Response:\nHello", "Hello"],
    [`Thought:\nno ${STOP} yet\nUser Response:\nHello`, STOP],
  ];
  for (const [text, said] of cases) {
    const factory = reactUser({
      dataset,
      model: sayingChatModel(text),
      compat: true,
    });
    assert.equal(await open(factory).open(), said);
  }
  for (const text of ["Hello", "Thought: a Thought: b"]) {
    const model = sayingChatModel(text);
    const user = open(reactUser({ dataset, model, compat: true }));
    await assert.rejects(user.open(), { kind: "bad_response", source: "user" });
  }
});

Deno.test("verifyUser() uses the first accepted message, or the last attempt if none is", async () => {
  const model = sayingChatModel("one", "false", "two", "it is True.");
  assert.equal(await open(verifyUser({ dataset, model })).open(), "two");
  const never = sayingChatModel(
    "one",
    "false",
    "two",
    "who knows",
    "three",
    "no",
  );
  const user = open(verifyUser({ dataset, model: never }));
  assert.equal(await user.open(), "three");
  assert.equal(never.asked.length, 6);
  await user.reply("And?");
  assert.equal(never.asked[6]?.messages[2]?.content, "three");
});

Deno.test("verifyUser() shows the supervisor the right speakers; with compat the labels are swapped and the message object is printed", async () => {
  const shown = async (compat: boolean) => {
    const model = sayingChatModel("it's me", "true");
    await open(verifyUser({ dataset, model, compat })).open();
    return model.asked[1]?.messages[0]?.content ?? "";
  };
  const greeting = dataset.prompts().user.firstAgentMessage;
  const fixed = await shown(false);
  assert.ok(fixed.includes(`\nAgent: ${greeting}`));
  assert.ok(fixed.includes("\nit's me\n"));
  const compat = await shown(true);
  assert.ok(compat.includes(`\nCustomer: ${greeting}`));
  assert.ok(
    compat.includes(
      `Message(content="it's me", role='assistant', tool_calls=None, function_call=None)`,
    ),
  );
});

Deno.test("verifyUser() ignores verdicts in reasoning, and stop tokens in rejected messages", async () => {
  const model = sayingChatModel(
    `one ${STOP}`,
    "<think>true?</think>false",
    `two ${STOP}`,
    "<think>false?</think>true",
  );
  const user = open(verifyUser({ dataset, model }));
  assert.equal(await user.open(), "two");
});

Deno.test("verifyUser() with compat does not keep a message that was used although none was accepted", async () => {
  const model = sayingChatModel("one", "no", "two", "no", "three");
  const user = open(verifyUser({ dataset, model, compat: true, attempts: 2 }));
  assert.equal(await user.open(), "two");
  await user.reply("And?");
  assert.deepEqual(model.asked[4]?.messages.map(({ role }) => role), [
    "system",
    "user",
    "user",
  ]);
});

Deno.test("reflectionUser() uses the supervisor's better message", async () => {
  const model = sayingChatModel(
    "one",
    "false",
    "Reflection:\ntoo short\n\nResponse:\nA better one",
  );
  const user = open(reflectionUser({ dataset, model }));
  assert.equal(await user.open(), "A better one");
  assert.equal(model.asked.length, 3);
  await user.reply("And?");
  assert.equal(model.asked[3]?.messages[2]?.content, "A better one");
});

Deno.test("reflectionUser() keeps the words next to a stop token in a better message", async () => {
  const better = `Reflection: x\n**Response:** "Yes, do it. ${STOP}"`;
  const model = sayingChatModel("one", "false", better);
  const user = open(reflectionUser({ dataset, model }));
  assert.equal(await user.open(), "Yes, do it.");
});

Deno.test("reflectionUser() keeps its message if the supervisor proposes none, and sends an accepted one at once", async () => {
  const vague = sayingChatModel("one", "false", "Do it better!");
  assert.equal(
    await open(reflectionUser({ dataset, model: vague, attempts: 3 })).open(),
    "one",
  );
  const fit = sayingChatModel("one", "true");
  assert.equal(
    await open(reflectionUser({ dataset, model: fit })).open(),
    "one",
  );
  assert.equal(fit.asked.length, 2);
});

Deno.test("reflectionUser() with compat shows the better message to the model as if the agent had said it", async () => {
  const better = "Reflection: x\nResponse:\nbetter";
  const model = sayingChatModel(
    "one",
    "false",
    better,
    "two",
    "true",
    "three",
    "true",
  );
  const user = open(reflectionUser({ dataset, model, compat: true }));
  assert.equal(await user.open(), "two");
  assert.deepEqual(model.asked[3]?.messages.at(-1), {
    role: "user",
    content: "better",
  });
  await user.reply("And?");
  assert.deepEqual(
    model.asked[5]?.messages.slice(2).map(({ content }) => content),
    ["one", "two", "And?"],
  );
  const unfit = sayingChatModel("one", "false", better, "two", "false");
  const first = open(reflectionUser({ dataset, model: unfit, compat: true }));
  assert.equal(await first.open(), "one");
});

Deno.test("users played by a model receive the prompts that were recorded", async () => {
  const model = sayingChatModel("one", "false", "Response: two");
  await open(reflectionUser({ dataset, model })).open();
  const react = actor();
  await open(reactUser({ dataset, model: react })).open();
  const shown = [react.asked[0], ...model.asked].map((asked) =>
    (asked?.messages ?? [])
      .map(({ role, content }) => `[${role}]\n${content}\n`)
      .join("\n")
  );
  await assertGolden("user_prompts.txt", shown.join("\n=====\n\n"));
});
