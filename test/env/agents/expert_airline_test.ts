import assert from "node:assert/strict";
import { expertAgent } from "../../../env/agents/expert.ts";
import { isWrite } from "../../../env/audit/finding.ts";
import { generated } from "../../../env/generated/generated.ts";
import type { JsonValue } from "../../../env/python/python_json.ts";
import { rollout } from "../../../env/rollout.ts";
import type { Message, ToolAction } from "../../../env/types.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";

const dataset = await generated(31, {
  trainTasks: 300,
  devTasks: 1,
  testTasks: 1,
  refusedShare: 0.3,
  twoIntentShare: 0.4,
  oneStopShare: 0.2,
  roundTripShare: 0.4,
  passengersMax: 3,
  reservationStatedShare: 0.4,
  detailsStatedShare: 0.4,
  changeOfMindShare: 0.3,
  wording: 6,
}, { domain: "airline" });

const conversations = await Promise.all(
  dataset.tasks("train").map(async (task) => {
    const { messages } = await rollout({
      dataset,
      task,
      agent: expertAgent({ prompt: "none" }),
      user: scriptedUser(dataset),
      seed: 5,
      maxTurns: 90,
    });
    return { task, messages };
  }),
);

/** Returns all leaf values in an argument as text. */
function leaves(value: JsonValue): string[] {
  if (Array.isArray(value)) return value.flatMap(leaves);
  if (value instanceof Map) return [...value.values()].flatMap(leaves);
  return [String(value)];
}

/** Returns the words of an identifier, such as `basic economy` for `basic_economy`. Returns other values unchanged. */
function inWords(value: string): string {
  return /^[a-z]+(_[a-z]+)+$/.test(value) ? value.replaceAll("_", " ") : value;
}

function callsOf(message: Message): readonly ToolAction[] {
  return message.role === "assistant" ? message.toolCalls ?? [] : [];
}

Deno.test("expertAgent() at the airline uses only what was said or shown", () => {
  for (const { task, messages } of conversations) {
    for (const [i, message] of messages.entries()) {
      const before = messages.slice(0, i)
        .filter(({ role }) => role === "user" || role === "tool")
        .map(({ content }) => content).join("\n");
      for (const { name, arguments: args } of callsOf(message)) {
        const unknown = [...args.values()].flatMap(leaves)
          .filter((value) => !/^\d+$/.test(value))
          .filter((value) =>
            !before.includes(value) && !before.includes(inWords(value))
          );
        assert.deepEqual(unknown, [], `${task.id}: ${name}`);
      }
    }
  }
});

Deno.test("expertAgent() at the airline writes only after the user's yes", () => {
  for (const { task, messages } of conversations) {
    for (const [i, message] of messages.entries()) {
      if (!callsOf(message).some(isWrite)) continue;
      assert.match(messages[i - 1]?.content ?? "", /^yes\b/, task.id);
    }
  }
});

/** Checks whether a phrase occurs in a text as whole words. */
function hasWord(text: string, words: string): boolean {
  return new RegExp(`(?<!\\w)${words}(?!\\w)`).test(text);
}

/**
 * Checks whether an argument is one that the expert omits when it describes a write and asks for confirmation: the
 * user's id, the flights of a change, or the insurance of a booking.
 */
function isLeftOut(name: string, key: string): boolean {
  return key === "user_id" ||
    name === "update_reservation_flights" && key === "flights" ||
    name === "book_reservation" && key === "insurance";
}

Deno.test("expertAgent() at the airline reads back every value of a call, in words and not as JSON", () => {
  let writes = 0;
  for (const { task, messages } of conversations) {
    for (const [i, message] of messages.entries()) {
      for (
        const { name, arguments: args } of callsOf(message).filter(isWrite)
      ) {
        writes++;
        const said = messages[i - 2]?.content ?? "";
        assert.doesNotMatch(said, /[{}[\]"]/, task.id);
        const lacking = [...args].filter(([key]) => !isLeftOut(name, key))
          .flatMap(([, value]) => leaves(value))
          .filter((value) => !hasWord(said, inWords(value)));
        assert.deepEqual(lacking, [], `${task.id}: ${said}`);
      }
    }
  }
  assert.ok(writes > 200, `${writes} writes`);
});

Deno.test("expertAgent() at the airline asks a user who states all details only for the user id", () => {
  const open = conversations.filter(({ task }) =>
    task.goal!.requests.every(({ forthcoming }) => forthcoming !== false)
  );
  assert.ok(open.length > 20);
  for (const { task, messages } of open) {
    const asked = messages.filter(({ role, content }) =>
      role === "assistant" && !/yes or no|else\?/.test(content)
    ).map(({ content }) => content).filter((content) => content !== "");
    assert.equal(asked.length, 1, `${task.id}: ${asked.join(" | ")}`);
    assert.match(asked[0]!, /user id/);
  }
});
