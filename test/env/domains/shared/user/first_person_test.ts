import assert from "node:assert/strict";
import { firstPerson } from "../../../../../env/domains/shared/user/first_person.ts";

Deno.test("firstPerson() rewrites wishes in the first person and drops the identity", () => {
  const { all, questions, synthetic } = firstPerson(
    "You are Ann Lee in 12345. You want to return your lamp because you've broken it. You also want to know how much you'll get back. You are a shy person.",
  );
  assert.equal(
    all,
    "i want to return my lamp because i have broken it. i also want to know how much i will get back.",
  );
  assert.equal(questions, "i also want to know how much i will get back.");
  assert.equal(synthetic, false);
});

Deno.test("firstPerson() drops directions to the actor", () => {
  const { all } = firstPerson(
    "Your name is Ann Lee and your email is ann.lee1@mail.com. You want a refund. If the agent asks, say no. Do not reveal your street.",
  );
  assert.equal(all, "i want a refund.");
});

Deno.test("firstPerson() starts with the wish", () => {
  const { all } = firstPerson(
    "You are ann_lee_1 (zip code 12345) and you want to swap two mugs.",
  );
  assert.equal(all, "i want to swap two mugs.");
});

Deno.test("firstPerson() recognizes machine-generated lists of requests", () => {
  const list = firstPerson(
    "Your name is Ann Lee and your zip code is 12345. You are calm. Cancel order #W1234567 because no longer needed. ",
  );
  assert.equal(list.synthetic, true);
});

Deno.test("firstPerson() reads a τ³-bench scenario: the known info, the reason for the call, and the task instructions", () => {
  const scenario = [
    "Instructions:",
    "\tDomain: retail",
    "\tReason for call:",
    "\t\tYou want to return the lamp.",
    "\tKnown info:",
    "\t\tYou are Ann Lee in zip code 12345.",
    "\tUnknown info:",
    "\t\tYou do not remember your email address.",
    "\tTask instructions:",
    "\t\tYou want to know your balance.",
  ].join("\n");
  assert.deepEqual(firstPerson(scenario), {
    all: "i want to return the lamp. i want to know my balance.",
    questions: "i want to know my balance.",
    synthetic: false,
  });
});
