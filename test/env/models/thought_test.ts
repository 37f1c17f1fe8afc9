import assert from "node:assert/strict";
import fc from "fast-check";
import { considered, opensThought } from "../../../env/models/thought.ts";

Deno.test("considered() separates the thought and changes nothing else", () => {
  assert.deepEqual(considered("<think>\nhm\n</think>\n\nHello"), {
    thought: "hm",
    words: "Hello",
    isUnfinished: false,
  });
  assert.deepEqual(considered("hm</think>Hello"), {
    thought: "hm",
    words: "Hello",
    isUnfinished: false,
  });
  assert.deepEqual(considered("Hello"), {
    words: "Hello",
    isUnfinished: false,
  });
  assert.deepEqual(considered("<think>\n\n</think>\n\n<tool_call>\n"), {
    thought: "",
    words: "<tool_call>\n",
    isUnfinished: false,
  });
});

Deno.test("considered() returns no text if the thought is not closed", () => {
  const call = '<tool_call>\n{"name": "pay"}\n</tool_call>';
  for (
    const answer of [
      considered(`<think>${call}`),
      considered(call, { isOpen: true }),
    ]
  ) {
    assert.deepEqual(answer, { thought: call, words: "", isUnfinished: true });
  }
});

Deno.test("considered() never returns a thought as text", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (thought, words) => {
    fc.pre(!/<\/?think/i.test(thought + words));
    const { words: said } = considered(`<think>${thought}</think>${words}`);
    assert.equal(said, words.trimStart());
    fc.pre(words !== "");
    assert.equal(considered(words).words, words);
  }));
});

Deno.test("opensThought() recognizes a prompt that ends with an open thought", () => {
  assert.ok(opensThought("<|im_start|>assistant\n<think>\n"));
  assert.ok(!opensThought("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
  assert.ok(!opensThought("<|im_start|>assistant\n"));
});
