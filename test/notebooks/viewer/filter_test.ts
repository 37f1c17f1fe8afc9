import assert from "node:assert/strict";
import fc from "fast-check";
import { matchOf } from "../../../notebooks/viewer/filter_sql.ts";
import {
  FilterError,
  matches,
  readExpression,
  readQuery,
} from "../../../notebooks/viewer/page/filter.js";
import { unknownFields } from "../../../train/runs/episode_facts.ts";
import type { EpisodeRow } from "../../../notebooks/viewer/protocol.ts";

const ROW: EpisodeRow = {
  ...unknownFields(),
  id: 7,
  step: 40,
  source: "rl",
  group: 1,
  task: "retail/train/3",
  split: "train",
  intent: "cancel",
  seed: 5,
  agent: "tool-calling",
  model: "m",
  user: "scripted",
  reward: 0,
  advantage: -0.25,
  stop: "user_stop",
  reason: "extra_write",
  failure: null,
  fault: "leak,echo",
  turns: 8,
  tokens: 300,
  parse_errors: 0,
  seconds: 1.5,
};

function keeps(query: string): boolean {
  return matches(readQuery(new URLSearchParams(query)).conditions, ROW);
}

Deno.test("readQuery() reads every form of condition", () => {
  const kept = [
    "step=40",
    "step=>39",
    "step=<=40",
    "step=!=41",
    "step=40..50",
    "step=1,40",
    "task=~TRAIN/",
    "reason=extra_write,wrong_write",
    "failure=none",
    "reward=!=none",
    "fault=leak",
    "fault=!=early_stop",
    "advantage=<0",
  ];
  const left = [
    "step=41",
    "step=41..50",
    "task=train",
    "fault=lea",
    "fault=none",
    "failure=!=none",
    "failure=~x",
    "reason=none",
    "reward=>0",
  ];
  assert.deepEqual(kept.filter((query) => !keeps(query)), []);
  assert.deepEqual(left.filter((query) => keeps(query)), []);
});

Deno.test("readQuery() explains the syntax of a condition that it cannot parse", () => {
  const wrong = [
    "step=many",
    "task=<3",
    "step=~4",
    "sort=size",
    "sort=toString",
  ];
  for (const query of wrong) {
    assert.throws(
      () => readQuery(new URLSearchParams(query)),
      FilterError,
      query,
    );
  }
});

Deno.test("readQuery() splits ranges of negative numbers and exponents", () => {
  assert.ok(keeps("advantage=-0.5..-1e-3"));
  assert.ok(!keeps("advantage=-0.2..0"));
});

Deno.test("readExpression() reads the command line's form and the page's own", () => {
  const both = [
    "reward<1 and step=40",
    "reward=%3C1&step=40",
    "http://127.0.0.1:8686/#/run/a1?reward=%3C1&step=40",
    "?reward=%3C1&step=40",
  ];
  for (const text of both) {
    assert.deepEqual(
      [...readExpression(text)],
      [["reward", "<1"], ["step", "40"]],
    );
  }
  assert.deepEqual(
    [...readExpression('text="credit card" and reason!=none')],
    [["text", "credit card"], ["reason", "!=none"]],
  );
  assert.throws(() => readExpression("reward is low"), /is not a condition/);
  assert.throws(() => readExpression("rewrd<1"), /no field "rewrd"/);
});

Deno.test("readExpression() preserves any number and bound", () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.constantFrom("<", "<=", ">", ">=", "!="),
      (value, op) => {
        const params = readExpression(`step ${op} ${value} and reward = 1`);
        const { conditions } = readQuery(params);
        assert.deepEqual(conditions.map(({ op, values }) => [op, ...values]), [
          [op, value],
          ["=", 1],
        ]);
      },
    ),
  );
});

Deno.test("matchOf() matches words, phrases and an unfinished last word", () => {
  assert.equal(matchOf("paypal ref"), '"paypal" "ref" *');
  assert.equal(matchOf('"credit card"'), '"credit card"');
  assert.equal(matchOf('"credit card" #W1 '), '"credit card" "#W1"');
  assert.equal(matchOf('a"b'), '"a" "b" *');
  assert.equal(matchOf("?! -"), "");
});
