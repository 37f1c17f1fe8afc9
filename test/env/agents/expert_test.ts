import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rollout } from "../../../env/rollout.ts";
import type { JsonValue } from "../../../env/python/python_json.ts";
import type { Dataset, Episode, Message, Task } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import { partsOf } from "../../support/underivable.ts";

const HARD = {
  trainTasks: 200,
  devTasks: 1,
  testTasks: 1,
  refusedShare: 0.3,
  twoIntentShare: 0.5,
  itemsMax: 4,
  requestedItemsMax: 3,
  extraOrdersMax: 2,
  paymentMethodsMax: 3,
  optionsPerProduct: 2,
  orderStatedShare: 0.4,
  detailsStatedShare: 0.4,
  wording: 6,
};

Deno.test("expertAgent() uses only what has been said or shown", async () => {
  const dataset = await generated(31, HARD);
  for (const task of dataset.tasks("train")) {
    const { messages } = await demonstrate(dataset, task);
    assert.deepEqual(ungrounded(messages), [], task.id);
  }
});

Deno.test("expertAgent() never mentions an id, amount or status that it has not read", async () => {
  const dataset = await generated(32, HARD);
  for (const task of dataset.tasks("train")) {
    const { messages } = await demonstrate(dataset, task);
    for (const [i, message] of messages.entries()) {
      if (message.role !== "assistant") continue;
      const before = textBefore(messages, i);
      const values = message.content.match(
        /#W\d+|\d+(\.\d+)?|\b(pending|processed|delivered)\b|\w+_\d{7}/g,
      ) ?? [];
      for (const value of values) {
        assert.ok(before.includes(value), `${task.id}: ${message.content}`);
      }
    }
  }
});

Deno.test("expertAgent() writes only after the user's yes", async () => {
  const dataset = await generated(33, HARD);
  for (const task of dataset.tasks("train")) {
    const { messages } = await demonstrate(dataset, task);
    for (const [i, message] of messages.entries()) {
      if (message.role !== "assistant") continue;
      const writes = (message.toolCalls ?? []).some(({ name }) =>
        /^(cancel|return|exchange|modify)_/.test(name)
      );
      if (writes) assert.match(messages[i - 1]?.content ?? "", /^yes\b/);
    }
  }
});

Deno.test("expertAgent() names the item in the user's words right before its id", async () => {
  const dataset = await generated(34, { ...HARD, orderStatedShare: 1 });
  for (const task of dataset.tasks("train")) {
    const { messages } = await demonstrate(dataset, task);
    for (const [i, message] of messages.entries()) {
      for (const id of chosenItems(message)) {
        const spoken = messages.slice(0, i).findLast(({ role }) =>
          role === "assistant"
        )?.content ?? "";
        const words = spoken.slice(0, spoken.indexOf(id)).trim().split(" ");
        const said = messages.slice(0, i).filter(({ role }) => role === "user")
          .map(({ content }) => content).join("\n");
        assert.ok(spoken.includes(id), spoken);
        assert.ok(said.includes(words.at(-1) ?? "?"), spoken);
      }
    }
  }
});

Deno.test("expertAgent() begins with the policy, or with the user if the prompt is none", async () => {
  const dataset = await generated(35, { ...HARD, trainTasks: 1 });
  const [task] = dataset.tasks("train");
  assert.ok(task);
  const full = await demonstrate(dataset, task, "full");
  assert.deepEqual(full.messages[0], {
    role: "system",
    content: dataset.policy,
  });
  const bare = await demonstrate(dataset, task, "none");
  assert.deepEqual(bare.messages, full.messages.slice(1));
});

Deno.test("expertAgent() gives up on a user who does not identify themselves", async () => {
  const dataset = await generated(36, { ...HARD, trainTasks: 1 });
  const [task] = dataset.tasks("train");
  assert.ok(task);
  const session = expertAgent().start({
    dataset,
    task,
    seed: 1,
    firstMessage: "hi",
  });
  for (let i = 0; i < 6; i++) {
    const step = await session.act();
    assert.ok(step.type === "action" && step.action.type === "respond");
    session.observe({ source: "user", content: "guess", done: false });
  }
  session.close();
});

function demonstrate(
  dataset: Dataset,
  task: Task,
  prompt: "full" | "none" = "none",
): Promise<Episode> {
  return rollout({
    dataset,
    task,
    agent: expertAgent({ prompt }),
    user: scriptedUser(dataset),
    userName: "scripted",
    seed: 5,
    maxTurns: 60,
    now: () => 0,
  });
}

/**
 * Returns the values in arguments of tool calls that an agent must know beforehand ({@linkcode partsOf}), but that
 * occur neither in the user's messages nor in the tool results before the call.
 */
function ungrounded(messages: readonly Message[]): string[] {
  return messages.flatMap((message, i) => {
    if (message.role !== "assistant") return [];
    const before = textBefore(messages, i);
    return (message.toolCalls ?? [])
      .flatMap(({ name, arguments: args }) =>
        [...args.values()].flatMap(leaves)
          .flatMap((value) => partsOf(name, value))
      )
      .filter((value) => !before.includes(value));
  });
}

/**
 * Returns the text of the user's messages and of the tool results, up to but excluding the message with the index
 * `end`.
 */
function textBefore(messages: readonly Message[], end: number): string {
  return messages.slice(0, end)
    .filter(({ role }) => role === "user" || role === "tool")
    .map(({ content }) => content).join("\n");
}

function leaves(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  return typeof value === "string" ? [value] : [];
}

function chosenItems(message: Message): string[] {
  if (message.role !== "assistant") return [];
  return (message.toolCalls ?? []).flatMap(({ arguments: args }) =>
    ["item_ids", "new_item_ids"].flatMap((key) => leaves(args.get(key) ?? null))
  );
}
