import assert from "node:assert/strict";
import { Desk, type Script } from "../../../../../env/agents/desk.ts";
import { call } from "../../../../../env/domains/shared/call.ts";
import { withoutThoughts } from "../../../../../env/domains/shared/expert/without_thoughts.ts";

Deno.test("withoutThoughts() keeps messages and calls, without notes and thoughts", () => {
  const heard: string[] = [];
  function* serve(desk: Desk): Script {
    heard.push(yield* desk.say("who are you?"));
    yield* desk.call(call("think", { thought: "that is Ann" }));
    heard.push(yield* desk.call(call("get_user", { id: "ann" }), "it is ann"));
    yield* desk.call(call("think", { thought: "done" }));
  }
  const script = withoutThoughts(serve)(new Desk("hi"));
  const answer = (content: string) =>
    script.next({ source: "user", content, done: false }).value;
  assert.deepEqual(answer(""), { type: "say", content: "who are you?" });
  assert.deepEqual(answer("ann"), {
    type: "call",
    action: call("get_user", { id: "ann" }),
    content: "",
  });
  assert.equal(answer("{}"), undefined);
  assert.deepEqual(heard, ["ann", "{}"]);
});
