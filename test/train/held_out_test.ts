import assert from "node:assert/strict";
import { resolveConfig } from "../../train/config/config.ts";
import { evalJobs, evalResult } from "../../train/held_out.ts";
import { fakeEpisode, fakeLab, fakeTask } from "../support/lab.ts";

const config = resolveConfig({
  name: "test",
  text: "eval: { tasks: 4, trials: 3, testTrials: 2 }",
});

Deno.test("evalJobs() returns the requested split, and the same jobs each time", () => {
  const lab = fakeLab();
  const dev = evalJobs(lab, config, { split: "dev", decoding: "sampled" });
  assert.equal(dev.length, 12);
  assert.ok(dev.every(({ task }) => task.split === "dev"));
  assert.deepEqual(
    dev,
    evalJobs(lab, config, { split: "dev", decoding: "sampled" }),
  );
  assert.equal(new Set(dev.map(({ seed }) => seed)).size, 12);
  const test = evalJobs(lab, config, { split: "test", decoding: "greedy" });
  assert.equal(test.length, 8);
  assert.ok(test.every(({ task }) => task.split === "test"));
});

Deno.test("evalResult() computes pass^k for every k and by intent, without failed episodes", () => {
  const values: (number | null)[] = [1, 1, 1, 0, null, 1];
  const episodes = values.map((value, i) =>
    fakeEpisode({ task: fakeTask("dev", Math.floor(i / 2)), value })
  );
  const result = evalResult(episodes, {
    split: "dev",
    decoding: "sampled",
    trials: 2,
  });
  assert.equal(result.pass1, (1 + 0.5 + 1) / 3);
  assert.deepEqual(result.passK, [result.pass1, 0.5]);
  assert.deepEqual(result.failures, { rate_limited: 1 });
  assert.deepEqual(result.stopReasons, { user_stop: 5 });
  assert.deepEqual(result.passByIntent, { cancel: 1, return: 0.5 });
  assert.equal(result.tasks, 3);
});
