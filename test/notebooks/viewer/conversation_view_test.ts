import assert from "node:assert/strict";
import {
  messagesOf,
  readObjects,
  turnsOf,
} from "../../../notebooks/viewer/conversation_view.ts";

import {
  type FinderInput,
  recordedFindings,
} from "../../../notebooks/viewer/findings.ts";

Deno.test("messagesOf() separates reasoning from the message", () => {
  const text = JSON.stringify([
    { role: "user", content: "Hello" },
    { role: "assistant", content: "Hi", thought: "<b>hm</b>" },
  ]);
  const messages = messagesOf(readObjects(text), []);
  assert.deepEqual(messages.map(({ content, thought }) => [content, thought]), [
    ["Hello", ""],
    ["Hi", "<b>hm</b>"],
  ]);
});

Deno.test("messagesOf() distinguishes parse errors sent to the agent from the user's messages", () => {
  const messages = readObjects(JSON.stringify([
    { role: "user", content: "Hello" },
    { role: "assistant", content: "{{ not a call" },
    { role: "user", content: "Error: not JSON" },
    { role: "assistant", content: "How can I help?" },
    { role: "user", content: "Error: that is what my phone shows" },
  ]));
  const turns = turnsOf(readObjects(JSON.stringify([{
    action: { type: "respond", content: "How can I help?" },
    observation: { content: "Error: that is what my phone shows" },
  }])));
  assert.deepEqual(
    messagesOf(messages, turns).map(({ role, turn }) => [role, turn]),
    [
      ["user", null],
      ["assistant", null],
      ["parse_error", null],
      ["assistant", 0],
      ["user", 0],
    ],
  );
});

Deno.test("recordedFindings() finds the turn of a user's message despite parse errors, and blames the agent for parse errors", () => {
  const respond = (content: string) => ({
    action: { type: "respond", content },
    observation: { content: "x" },
  });
  const call = {
    action: { type: "call", call: { name: "look", arguments: {} } },
    observation: { content: "{}" },
  };
  const turns = [respond("a"), call, respond("b")];
  const findings = recordedFindings({
    episode: { failure: null, row: { reason: "parse_errors" }, messages: [] },
    turns: readObjects(JSON.stringify(turns)),
    reward: { value: 0, differences: [], missingOutputs: [] },
    failure: null,
    userFindings: [{ fault: "echo", message: 2, evidence: "x" }],
    dataset: null,
    task: null,
  } as unknown as FinderInput);
  assert.deepEqual(
    findings.map(({ kind, blame, turn }) => [kind, blame, turn]),
    [["reward", "agent", null], ["user", "user", 2]],
  );
});
