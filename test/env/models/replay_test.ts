import assert from "node:assert/strict";
import { PolicyError } from "../../../env/errors.ts";
import { replayChatModel } from "../../../env/models/replay.ts";
import type { Message } from "../../../env/types.ts";
import { chatModelContract } from "../../contract/chat_model_contract.ts";
import { TOOLS } from "../../fakes/tiny_codec.ts";

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

Deno.test("replayChatModel() answers what was recorded, calls too", async () => {
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

Deno.test("replayChatModel() says where a conversation left its recording", async () => {
  await assert.rejects(
    begin().send([{ role: "user", content: "Other" }]),
    (error) =>
      error instanceof PolicyError &&
      /left its recording at message 0: user "Other" where system "Be kind\."/
        .test(error.message),
  );
});

Deno.test("replayChatModel() says that the recording has ended", async () => {
  const chat = begin();
  await chat.send(RECORDING.slice(0, 2));
  await chat.send(RECORDING.slice(3, 4));
  await assert.rejects(chat.send([]), /no answer at message 5 of 5/);
});
