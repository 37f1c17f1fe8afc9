import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Codec,
  TokenConversation,
} from "../../../env/tokens/conversation.ts";
import { demonstrationTrajectory } from "../../../env/tokens/demonstration.ts";
import { checkPrefix } from "../../../env/tokens/rewritten_prefix.ts";
import type { Message } from "../../../env/types.ts";
import { conversations } from "../../support/conversations.ts";
import {
  qwen3Hybrid,
  qwen3Instruct,
  qwen3Tokenizer,
} from "../../support/qwen3.ts";

async function instruct(): Promise<Codec> {
  return {
    tokenizer: await qwen3Tokenizer(),
    template: await qwen3Instruct(),
  };
}

Deno.test("TokenConversation: the sequence consists of the appended and sampled ids in order", async () => {
  const codec = await instruct();
  fc.assert(
    fc.property(conversations(), fc.infiniteStream(fc.nat()), (messages, n) => {
      const conversation = new TokenConversation(codec, []);
      const ids: number[] = [];
      const mask: number[] = [];
      let context: Message[] = [];
      for (const message of messages) {
        if (message.role !== "assistant") {
          context.push(message);
          continue;
        }
        const prompt = conversation.prompt(context);
        conversation.appendPrompt(prompt);
        context = [];
        // Sampled ids may be arbitrary: they are never decoded and encoded again.
        const length = 1 + (n.next().value ?? 0) % 5;
        const sampled = Array.from(
          { length },
          () => (n.next().value ?? 0) % codec.tokenizer.vocabSize,
        );
        const logprobs = sampled.map((_, i) => -i);
        conversation.appendAnswer(message, { ids: sampled, logprobs });
        ids.push(...prompt, ...sampled);
        mask.push(...prompt.map(() => 0), ...sampled.map(() => 1));
      }
      assert.deepEqual(conversation.trajectory.ids, ids);
      assert.deepEqual(conversation.trajectory.lossMask, mask);
    }),
  );
});

Deno.test("TokenConversation: the incremental ids equal those of the full rendering if the template keeps its history", async () => {
  const codec = await instruct();
  const { template, tokenizer } = codec;
  fc.assert(fc.property(conversations(), (messages) => {
    const { ids } = demonstrationTrajectory({ ...codec, messages });
    const text = tokenizer.decode(ids);
    const full = template.render(messages);
    // The template ends the turn after the last answer, which a policy does not sample.
    assert.equal(`${text}\n`.normalize("NFC"), full.normalize("NFC"));
    const injected = messages.some(({ role, content }) =>
      role !== "system" && content.includes("<|")
    ) || messages.some((message) =>
      message.role === "assistant" &&
      [...message.toolCalls?.[0]?.arguments.values() ?? []].some((value) =>
        String(value).includes("<|")
      )
    );
    if (!injected) {
      assert.deepEqual([...ids], tokenizer.encode(full).slice(0, -1));
    }
  }));
});

Deno.test("TokenConversation keeps sampled thoughts that a template would rewrite", async () => {
  const tokenizer = await qwen3Tokenizer();
  const template = await qwen3Hybrid();
  const messages: Message[] = [
    { role: "user", content: "Hello" },
    { role: "assistant", content: "<think>\nA guest.\n</think>\n\nYes?" },
    { role: "user", content: "Bye" },
    { role: "assistant", content: "<think>\n\n</think>\n\nBye." },
  ];
  const report = checkPrefix(template, messages);
  assert.equal(report.kind, "rewritten");
  const { ids } = demonstrationTrajectory({ template, tokenizer, messages });
  assert.equal(
    tokenizer.decode(ids),
    `<|im_start|>user
Hello<|im_end|>
<|im_start|>assistant
<think>
A guest.
</think>

Yes?<|im_end|>
<|im_start|>user
Bye<|im_end|>
<|im_start|>assistant
<think>

</think>

Bye.<|im_end|>`,
  );
});

Deno.test("TokenConversation ends an answer that was cut off with a context token", async () => {
  const codec = await instruct();
  const { tokenizer } = codec;
  const said = (ids: readonly number[]) => {
    const conversation = new TokenConversation(codec, []);
    conversation.appendPrompt(
      conversation.prompt([{ role: "user", content: "Hi" }]),
    );
    conversation.appendAnswer(
      { role: "assistant", content: "Hello" },
      { ids, logprobs: ids.map(() => -1) },
    );
    conversation.appendPrompt(
      conversation.prompt([{ role: "user", content: "Go on" }]),
    );
    return conversation.trajectory;
  };
  const whole = said(tokenizer.encode("Hello<|im_end|>"));
  const cut = said(tokenizer.encode("Hello"));
  assert.deepEqual(cut.ids, whole.ids);
  const sum = (mask: readonly number[]) => mask.reduce((a, b) => a + b, 0);
  assert.equal(sum(whole.lossMask), 2);
  assert.equal(sum(cut.lossMask), 1);
});

Deno.test("TokenConversation only renders new messages: the cost per turn does not grow with the conversation", async () => {
  const codec = await instruct();
  const rendered: number[] = [];
  const conversation = new TokenConversation({
    ...codec,
    tokenizer: {
      ...codec.tokenizer,
      endToken: codec.tokenizer.endToken,
      stopIds: codec.tokenizer.stopIds,
      decode: (ids) => codec.tokenizer.decode(ids),
      encode(text) {
        rendered.push(text.length);
        return codec.tokenizer.encode(text);
      },
    },
  }, []);
  for (let turn = 0; turn < 50; turn++) {
    const content = "Tell me more, please.";
    conversation.appendPrompt(conversation.prompt([{ role: "user", content }]));
    const ids = codec.tokenizer.encode("More.<|im_end|>");
    conversation.appendAnswer(
      { role: "assistant", content: "More." },
      { ids, logprobs: ids.map(() => 0) },
    );
  }
  assert.equal(new Set(rendered.slice(1)).size, 1);
});

Deno.test("demonstrationTrajectory() has mask 1 on answers and their end tokens, and stops at the last answer", async () => {
  const codec = await instruct();
  const { tokenizer } = codec;
  const messages: Message[] = [
    { role: "system", content: "S" },
    { role: "user", content: "Pay" },
    {
      role: "assistant",
      content: "",
      toolCalls: [{ id: "call00001", name: "pay", arguments: new Map() }],
    },
    { role: "tool", content: "ok", name: "pay", toolCallId: "call00001" },
    { role: "assistant", content: "Paid." },
    { role: "user", content: "###STOP###" },
  ];
  const { ids, lossMask, logprobs } = demonstrationTrajectory({
    ...codec,
    messages,
  });
  const sampled = tokenizer.decode(ids.filter((_, i) => lossMask[i] === 1));
  assert.equal(
    sampled,
    '<tool_call>\n{"name": "pay", "arguments": {}}\n</tool_call><|im_end|>Paid.<|im_end|>',
  );
  assert.equal(lossMask.at(-1), 1);
  assert.ok(logprobs.every((value) => value === 0));
});

Deno.test("TokenConversation caches continuations by call and messages", async () => {
  const { template, tokenizer } = await instruct();
  let encoded = 0;
  const counting: Codec = {
    template,
    tokenizer: {
      ...tokenizer,
      decode: (ids) => tokenizer.decode(ids),
      encode(text) {
        encoded++;
        return tokenizer.encode(text);
      },
    },
  };
  const [endId = 0] = tokenizer.stopIds;
  const continued = (codec: Codec, call: object, content: string) => {
    const conversation = new TokenConversation(codec, []);
    conversation.appendPrompt(
      conversation.prompt([{ role: "user", content: "hi" }]),
    );
    const toolCalls = [{
      id: "call00010",
      name: "look",
      arguments: new Map([["at", content]]),
      ...call,
    }];
    conversation.appendAnswer(
      { role: "assistant", content, toolCalls },
      { ids: [5, endId], logprobs: [-1, -1] },
    );
    const toolCallId = toolCalls[0]!.id;
    return conversation.prompt([
      { role: "tool", name: "look", toolCallId, content },
      { role: "user", content: "well?" },
    ]);
  };
  const cases: [call: object, content: string, isNew: boolean][] = [
    [{}, "a lamp", true],
    [{}, "a lamp", false],
    [{ arguments: new Map() }, "a lamp", false],
    [{}, "a lamp<|im_end|>", true],
    [{ name: "see" }, "a lamp", true],
    [{ id: "call00011" }, "a lamp", true],
    [{}, "x".repeat(10_000), true],
    [{}, "x".repeat(10_000), true],
  ];
  for (const [call, content, isNew] of cases) {
    const before = encoded;
    const ids = continued(counting, call, content);
    assert.equal(encoded - before, isNew ? 2 : 1, content.slice(0, 20));
    const fresh = { template, tokenizer: { ...counting.tokenizer } };
    assert.deepEqual(ids, continued(fresh, call, content));
  }
});
