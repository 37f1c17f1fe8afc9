import assert from "node:assert/strict";
import fc from "fast-check";
import {
  alternation,
  Guard,
  isMarked,
  unmark,
} from "../../../env/tokens/guard.ts";

const TOKENS = ["<|end|>", "<|user|>", "</think>", "]"];
const text = fc.array(
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(...TOKENS, "<", "|end|>", "\uFDD1"),
  ),
).map((parts) => parts.join(""));

Deno.test("Guard.mark() leaves no control token, and unmark() restores the text", () => {
  const guard = new Guard(TOKENS);
  fc.assert(fc.property(text, (text) => {
    const marked = guard.mark(text);
    for (const token of TOKENS.filter((token) => token.length > 1)) {
      assert.ok(!marked.includes(token));
    }
    assert.equal(unmark(marked), text);
  }));
});

Deno.test("Guard.mark() does not change a text without control tokens", () => {
  const plain = "a < b |end| > c";
  assert.equal(new Guard(TOKENS).mark(plain), plain);
  assert.equal(isMarked(plain), false);
  assert.equal(new Guard([]).mark("<|end|>"), "<|end|>");
});

Deno.test("alternation() matches the longest word, and words literally", () => {
  const words = alternation(["<a", "<a>", "+."]);
  assert.deepEqual("<a><a+.x".match(words ?? /$/), ["<a>", "<a", "+."]);
  assert.equal(alternation([]), null);
});
