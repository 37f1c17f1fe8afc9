import assert from "node:assert/strict";
import fc from "fast-check";
import { opensThought, splitThought } from "../../../env/models/thought.ts";

Deno.test("splitThought() separates the thought and changes nothing else", () => {
  assert.deepEqual(splitThought("<think>\nhm\n</think>\n\nHello"), {
    thought: "hm",
    words: "Hello",
    isUnfinished: false,
  });
  assert.deepEqual(splitThought("hm</think>Hello"), {
    thought: "hm",
    words: "Hello",
    isUnfinished: false,
  });
  assert.deepEqual(splitThought("Hello"), {
    words: "Hello",
    isUnfinished: false,
  });
  assert.deepEqual(splitThought("<think>\n\n</think>\n\n<tool_call>\n"), {
    thought: "",
    words: "<tool_call>\n",
    isUnfinished: false,
  });
});

Deno.test("splitThought() returns no text if the thought is not closed", () => {
  const call = '<tool_call>\n{"name": "pay"}\n</tool_call>';
  for (
    const answer of [
      splitThought(`<think>${call}`),
      splitThought(call, { isOpen: true }),
    ]
  ) {
    assert.deepEqual(answer, { thought: call, words: "", isUnfinished: true });
  }
});

Deno.test("splitThought() never returns a thought as text", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (thought, words) => {
    fc.pre(!/<\/?think/i.test(thought + words));
    const { words: said } = splitThought(`<think>${thought}</think>${words}`);
    assert.equal(said, words.trimStart());
    fc.pre(words !== "");
    assert.equal(splitThought(words).words, words);
  }));
});

Deno.test("opensThought() recognizes a prompt that ends with an open thought", () => {
  assert.ok(opensThought("<|im_start|>assistant\n<think>\n"));
  assert.ok(!opensThought("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
  assert.ok(!opensThought("<|im_start|>assistant\n"));
});
