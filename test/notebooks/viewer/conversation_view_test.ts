import assert from "node:assert/strict";
import {
  messagesOf,
  readObjects,
} from "../../../notebooks/viewer/conversation_view.ts";

Deno.test("messagesOf() keeps a thought apart from what was said", () => {
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
