/** Defines the contract tests that every chat model must pass. */

import assert from "node:assert/strict";
import type {
  Chat,
  ChatModel,
  ChatReply,
  Message,
  ToolSchema,
} from "../../env/types.ts";

/** A model to test, and a conversation for it. If it has a disposer, it is disposed of after each test. */
export interface ChatModelSubject extends Partial<AsyncDisposable> {
  readonly model: ChatModel;
  readonly tools: readonly ToolSchema[];
  /** The messages that the model receives in each turn. The first turn opens the conversation. */
  readonly turns: readonly (readonly Message[])[];
}

/**
 * Registers the contract tests for a chat model.
 * @param load Creates a new model on each call.
 */
export function chatModelContract(
  name: string,
  load: () => Promise<ChatModelSubject>,
): void {
  function test(
    fact: string,
    check: (subject: ChatModelSubject) => Promise<void>,
  ): void {
    Deno.test(`${name}: ${fact}`, async () => {
      const subject = await load();
      try {
        await check(subject);
      } finally {
        await subject[Symbol.asyncDispose]?.();
      }
    });
  }

  test("every turn is answered by text, calls, or the reason why the answer cannot be parsed", async ({ model, tools, turns }) => {
    const names = new Set(tools.map((tool) => tool.function.name));
    const chat = model.chat({ tools, seed: 1 });
    for (const reply of await hold(chat, turns)) {
      assert.equal(typeof reply.content, "string");
      assert.ok(reply.parseError === undefined || reply.parseError.length > 0);
      const ids = reply.toolCalls.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
      for (const call of reply.toolCalls) {
        assert.ok(names.has(call.name), call.name);
        assert.ok(call.arguments instanceof Map);
      }
    }
    chat.close();
  });

  test("the same seed gives the same conversation, even next to another one", async ({ model, tools, turns }) => {
    const once = model.chat({ tools, seed: 5 });
    const replies = await hold(once, turns);
    const [again, other] = [
      model.chat({ tools, seed: 5 }),
      model.chat({ tools, seed: 6 }),
    ];
    const [same] = await Promise.all([hold(again, turns), hold(other, turns)]);
    assert.deepEqual(same, replies);
    assert.deepEqual(again.trajectory, once.trajectory);
    for (const chat of [once, again, other]) chat.close();
  });

  test("a trajectory only grows at its end, with one span of mask 1 per answer", async ({ model, tools, turns }) => {
    const chat = model.chat({ tools, seed: 2 });
    let before: readonly number[] = [];
    for (const [i, messages] of turns.entries()) {
      await chat.send(messages);
      const { trajectory } = chat;
      if (trajectory === undefined) continue;
      const { ids, lossMask, logprobs } = trajectory;
      assert.equal(lossMask.length, ids.length);
      assert.equal(logprobs.length, ids.length);
      assert.deepEqual(ids.slice(0, before.length), before);
      assert.equal(stretches(lossMask), i + 1);
      assert.equal(lossMask.at(-1), 1);
      lossMask.forEach((mask, t) => mask || assert.equal(logprobs[t], 0));
      before = ids;
    }
    chat.close();
  });

  test("a chat may be closed twice, and without any message", ({ model, tools }) => {
    const chat = model.chat({ tools, seed: 3 });
    chat.close();
    chat.close();
    return Promise.resolve();
  });
}

async function hold(
  chat: Chat,
  turns: readonly (readonly Message[])[],
): Promise<ChatReply[]> {
  const replies: ChatReply[] = [];
  for (const messages of turns) replies.push(await chat.send(messages));
  return replies;
}

function stretches(mask: readonly number[]): number {
  return mask.filter((bit, i) => bit === 1 && mask[i - 1] !== 1).length;
}
