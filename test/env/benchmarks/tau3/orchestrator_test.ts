import assert from "node:assert/strict";
import {
  agentRequest,
  userRequest,
} from "../../../../env/benchmarks/tau3/chat_requests.ts";
import {
  Orchestrator,
  type OrchestratorOptions,
  type Reply,
} from "../../../../env/benchmarks/tau3/orchestrator.ts";
import { RaisedError } from "../../../../env/benchmarks/tau3/raised.ts";
import { printPythonJson } from "../../../../env/python/python_json.ts";
import {
  calling,
  saying,
  TOY_TASK,
  toyBundle,
} from "../../../support/tau3_toy.ts";

const STOP = saying("Bye ###STOP###");

/** Runs a conversation to its end with the given replies. After the last one, every reply is `ok`. */
async function talk(
  replies: readonly Reply[],
  options: Partial<OrchestratorOptions> & { history?: readonly unknown[] } = {},
): Promise<Orchestrator> {
  const { history, ...rest } = options;
  const initial_state = history === undefined
    ? null
    : { message_history: history };
  const source = await toyBundle({ tasks: [{ ...TOY_TASK, initial_state }] });
  const all = [...replies];
  const talk = new Orchestrator({ source, task: source.task("cup"), ...rest });
  while ("speaker" in talk.next) talk.reply(all.shift() ?? saying("ok"));
  return talk;
}

function roles({ messages }: Orchestrator): string[] {
  return messages.map(({ role, content }) => `${role}: ${content}`);
}

Deno.test("Orchestrator returns each side's answers to its calls", async () => {
  const done = await talk([
    saying("A cup, please."),
    calling("sell", { item: "cup" }),
    saying("Light your lamp."),
    calling("press"),
    STOP,
  ]);
  assert.deepEqual(roles(done), [
    "assistant: Hi! How can I help you today?",
    "user: A cup, please.",
    "assistant: null",
    "tool: sold",
    "assistant: Light your lamp.",
    "user: null",
    "tool: It is lit.",
    "user: Bye ###STOP###",
  ]);
  assert.deepEqual(done.next, { ended: "user_stop" });
  assert.deepEqual([done.steps, done.errors], [7, 0]);
  assert.deepEqual(done.costs, { agent: 1, user: 1.5 });
  assert.equal(
    printPythonJson(agentRequest(done.agentHistory)),
    '[{"role": "assistant", "content": "Hi! How can I help you today?", "tool_calls": null}, ' +
      '{"role": "user", "content": "A cup, please."}, ' +
      '{"role": "assistant", "content": null, "tool_calls": [{"id": "call-sell", "name": "sell", ' +
      '"function": {"name": "sell", "arguments": "{\\"item\\": \\"cup\\"}"}, "type": "function"}]}, ' +
      '{"role": "tool", "content": "sold", "tool_call_id": "call-sell"}, ' +
      '{"role": "assistant", "content": "Light your lamp.", "tool_calls": null}, ' +
      '{"role": "user", "content": "Bye ###STOP###"}]',
  );
  assert.deepEqual(
    userRequest(done.userHistory).map((message) => message.get("role")),
    ["user", "assistant", "user", "assistant", "tool", "assistant"],
  );
});

Deno.test("Orchestrator ends only by the user's exact stop tokens in a message without calls", async () => {
  const done = await talk([
    saying("###stop###"),
    saying("###STOP###"),
    calling("press", {}, "###STOP###"),
    saying("So ###TRANSFER### it is"),
  ]);
  assert.equal(done.messages.length, 6);
  assert.deepEqual(done.next, { ended: "user_stop" });
  const scope = await talk([saying("x###OUT-OF-SCOPE###")]);
  assert.deepEqual(scope.next, { ended: "user_stop" });
});

Deno.test("Orchestrator applies limits between turns, overriding a stop", async () => {
  const calls = await talk([saying("hi"), calling("look")], { maxSteps: 2 });
  assert.deepEqual([calls.next, calls.steps], [{ ended: "max_steps" }, 3]);
  const stop = await talk([STOP], { maxSteps: 1 });
  assert.deepEqual(stop.next, { ended: "max_steps" });
  const errors = await talk([
    saying("hi"),
    calling("sell", { item: "nothing" }),
    calling("unknown"),
  ], { maxErrors: 2, maxSteps: 5 });
  assert.deepEqual([errors.next, errors.errors, errors.steps], [
    { ended: "too_many_errors" },
    2,
    5,
  ]);
});

Deno.test("Orchestrator ends at a text with a call only if communication is validated", async () => {
  const replies = [
    saying("hi"),
    calling("sell", { item: "cup" }, "Here"),
    saying("So."),
    STOP,
  ];
  const free = await talk(replies);
  assert.deepEqual(free.next, { ended: "user_stop" });
  const agent = await talk(replies, { validateCommunication: true });
  assert.deepEqual(agent.next, { ended: "agent_error" });
  assert.equal(agent.messages.at(-1)?.role, "assistant");
  const user = await talk([calling("press", {}, "Here")], {
    validateCommunication: true,
  });
  assert.deepEqual(user.next, { ended: "user_error" });
  const blank = await talk([calling("press", {}, " \n"), STOP], {
    validateCommunication: true,
  });
  assert.deepEqual(blank.next, { ended: "user_stop" });
});

Deno.test("Orchestrator raises for an empty message", async () => {
  for (const content of ["", " \t", null]) {
    await assert.rejects(
      talk([{ content }]),
      (error) =>
        error instanceof RaisedError && error.pythonClass === "ValueError",
    );
  }
});

Deno.test("a solo agent calls both sides' tools, and ends the conversation by `done`", async () => {
  const done = await talk([
    calling("sell", { item: "cup" }),
    calling("press"),
    {
      ...calling("done"),
      toolCalls: [...calling("look").toolCalls, ...calling("done").toolCalls],
    },
  ], { solo: true });
  assert.deepEqual(roles(done), [
    "assistant: null",
    "tool: sold",
    "assistant: null",
    "tool: It is lit.",
    "assistant: ###STOP###",
  ]);
  assert.deepEqual([done.next, done.steps], [{ ended: "agent_stop" }, 4]);
});

Deno.test("a message of a solo agent ends the conversation, as an agent error unless it is the stop token", async () => {
  for (const before of [[], [calling("press")]]) {
    const ends = async (content: string) =>
      (await talk([...before, saying(content)], { solo: true })).next;
    assert.deepEqual(await ends("hello"), { ended: "agent_error" });
    assert.deepEqual(await ends("###STOP###"), { ended: "agent_stop" });
  }
});

Deno.test("Orchestrator continues a history with the side that did not speak last", async () => {
  const call = {
    id: "h",
    name: "sell",
    arguments: { item: "cup" },
    requestor: "assistant",
  };
  const before = [
    { role: "assistant", content: "hi" },
    { role: "user", content: "a cup" },
    { role: "assistant", content: null, tool_calls: [call] },
    {
      role: "tool",
      id: "h",
      content: "sold",
      requestor: "assistant",
      error: false,
    },
  ];
  const done = await talk([saying("Sold."), STOP], { history: before });
  assert.deepEqual(roles(done).slice(4), [
    "assistant: Sold.",
    "user: Bye ###STOP###",
  ]);
  assert.equal(
    done.world.databases.agent.get("shop", "one")?.get("item"),
    "cup",
  );
  assert.equal(done.costs, null);
  const over = await talk([], {
    history: [{ role: "user", content: "###STOP###" }],
  });
  assert.deepEqual([over.next, over.steps], [{ ended: "user_stop" }, 0]);
  for (
    const wrong of [before.slice(0, 3), [...before, before[3]], [before[3]]]
  ) {
    await assert.rejects(talk([], { history: wrong }), RaisedError);
  }
});
