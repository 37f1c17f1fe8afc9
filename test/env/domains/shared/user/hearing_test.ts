import assert from "node:assert/strict";
import { hear } from "../../../../../env/domains/shared/user/hearing.ts";

Deno.test("hear() treats a question as a request for consent unless a question word precedes it in the sentence", () => {
  const heard: [message: string, wantsYes: boolean][] = [
    ["Shall I proceed?", true],
    ["What address shall I confirm?", false],
    ["Please confirm what you told me.", true],
    ["What is it? Please confirm.", true],
    ["Is that ok?", true],
    ["When you are ready, please say ok.", false],
    ["Please tell me which one. What ok? Which, shall i?", false],
    ["Please tell me which one. What ok? Well, shall i?", true],
  ];
  for (const [message, wantsYes] of heard) {
    assert.equal(hear(message, { topic: /x/ }).wantsYes, wantsYes, message);
  }
});
