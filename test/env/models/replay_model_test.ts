import assert from "node:assert/strict";
import { PolicyError } from "../../../env/errors.ts";
import {
  replayChatModel,
  replayEpisodesModel,
} from "../../../env/models/replay_model.ts";
import { toolCallingAgent } from "../../../env/agents/tool_calling.ts";
import { generated } from "../../../env/generated/generated.ts";
import { rolloutAll } from "../../../env/rollout.ts";
import { scriptedUser } from "../../../env/users/scripted.ts";
import type { ChatModel, Message } from "../../../env/types.ts";
import { chatModelContract } from "../../contract/chat_model_contract.ts";
import { answeringModel } from "../../support/chat_models.ts";
import { TOOLS } from "../../support/tiny_codec.ts";

const RECORDING: readonly Message[] = [
  { role: "system", content: "Be kind." },
  { role: "user", content: "Pay" },
  {
    role: "assistant",
    content: "Sure.",
    toolCalls: [{
      id: "call00001",
      name: "pay",
      arguments: new Map([["to", "x"]]),
    }],
  },
  { role: "tool", content: "paid", name: "pay", toolCallId: "call00001" },
  { role: "assistant", content: "Paid." },
];

chatModelContract("replayChatModel()", () =>
  Promise.resolve({
    model: replayChatModel({ messages: RECORDING }),
    tools: TOOLS,
    turns: [RECORDING.slice(0, 2), RECORDING.slice(3, 4)],
  }));

function begin() {
  return replayChatModel({ messages: RECORDING }).chat({ tools: [], seed: 1 });
}

Deno.test("replayChatModel() gives the recorded answers and calls", async () => {
  const chat = begin();
  assert.deepEqual(await chat.send(RECORDING.slice(0, 2)), {
    content: "Sure.",
    toolCalls: [{
      id: "call00001",
      name: "pay",
      arguments: new Map([["to", "x"]]),
    }],
    finishReason: "stop",
  });
  const reply = await chat.send(RECORDING.slice(3, 4));
  assert.equal(reply.content, "Paid.");
});

Deno.test("replayChatModel() reports where a conversation differs from its recording", async () => {
  await assert.rejects(
    begin().send([{ role: "user", content: "Other" }]),
    (error) =>
      error instanceof PolicyError &&
      /diverges from its recording at message 0: expected system "Be kind\.", got user "Other"/
        .test(error.message),
  );
});

Deno.test("replayChatModel() reports the end of the recording", async () => {
  const chat = begin();
  await chat.send(RECORDING.slice(0, 2));
  await chat.send(RECORDING.slice(3, 4));
  await assert.rejects(
    chat.send([]),
    /no answer at message 5 \(recorded messages: 5\)/,
  );
});

Deno.test("replayEpisodesModel() replays every episode of a run in any order, and keeps trials of a task apart", async () => {
  const dataset = await generated(3, {
    trainTasks: 1,
    devTasks: 1,
    testTasks: 3,
  });
  const run = (model: ChatModel, seeds: readonly number[]) =>
    rolloutAll(
      seeds.flatMap((seed) =>
        dataset.tasks("test").map((task) => ({
          dataset,
          task,
          agent: toolCallingAgent({ model }),
          user: scriptedUser(dataset),
          userName: "scripted",
          seed,
          maxTurns: 4,
        }))
      ),
      { concurrency: 4, now: () => 0 },
    );
  // Trials share their opening and differ in the model's answers.
  const recorded = await run(
    answeringModel(({ seed, messages }) => `${seed} ${messages.length}`),
    [1, 2, 3],
  );
  const model = replayEpisodesModel({ episodes: recorded });
  const again = await run(model, [3, 1, 2]);
  const wordsOf = (episodes: typeof recorded) =>
    episodes.map(({ taskId, seed, messages, reward, failure }) =>
      JSON.stringify([taskId, seed, messages, reward, failure])
    ).sort();
  assert.deepEqual(wordsOf(again), wordsOf(recorded));
});

Deno.test("replayEpisodesModel() uses a matching recording for a conversation with an unknown seed", async () => {
  const other: readonly Message[] = [
    ...RECORDING.slice(0, 3),
    { role: "tool", content: "refused", name: "pay", toolCallId: "c" },
    { role: "assistant", content: "It was refused." },
  ];
  const model = replayEpisodesModel({
    episodes: [{ seed: 1, messages: RECORDING }, { seed: 2, messages: other }],
  });
  const chat = model.chat({ tools: [], seed: 99 });
  await chat.send(RECORDING.slice(0, 2));
  assert.equal((await chat.send(other.slice(3, 4))).content, "It was refused.");
  await assert.rejects(
    model.chat({ tools: [], seed: 1 }).send([{ role: "user", content: "No" }]),
    /diverges from its recording at message 0/,
  );
});
