import assert from "node:assert/strict";
import {
  explainFailure,
  failureText,
} from "../../../../train/slime/launch/job_failure.ts";
import { SYMPTOMS } from "../../../../train/slime/launch/symptoms.ts";
import { LOGS, UNKNOWN_LOGS } from "../../../support/job_logs.ts";

/** The lines with which the log of each test case begins. */
const BEFORE = [
  "[2026-08-21 11:00:00] train.py:20 - Creating placement group with 8 GPUs...",
  "\x1b[36m(RolloutManager pid=7, ip=10.0.0.11)\x1b[0m [2026-08-21 11:30:00] rollout.py:80 - perf 40: {'perf/rollout_time': 12.5}",
];

function explain(log: string) {
  return explainFailure({ message: "" }, [...BEFORE, ...log.split("\n")]);
}

for (const { id } of SYMPTOMS) {
  Deno.test(`explainFailure() recognizes "${id}" as programs print it`, () => {
    const logs = LOGS[id] ?? [];
    assert.ok(logs.length > 0, "a log of each symptom");
    for (const log of logs) assert.equal(explain(log).symptom?.id, id, log);
  });
}

for (const [what, log] of Object.entries(UNKNOWN_LOGS)) {
  Deno.test(`explainFailure() names no cause for ${what}`, () => {
    const { symptom, lastError } = explain(log);
    assert.equal(symptom?.id, undefined);
    assert.notEqual(lastError, "");
  });
}

Deno.test("explainFailure() knows each symptom once, and each has a log", () => {
  const ids = SYMPTOMS.map(({ id }) => id);
  assert.deepEqual(Object.keys(LOGS).sort(), ids.toSorted());
});

Deno.test("explainFailure() distinguishes a host's memory from a GPU's", () => {
  const host = failureText(explain(LOGS["host-memory"]![0]!));
  assert.match(host, /host ran out of RAM \(not of GPU memory\)/);
  assert.doesNotMatch(host, /maxTokensPerGpu/);
  const gpu = failureText(explain(LOGS["gpu-memory"]![0]!));
  assert.match(gpu, /a GPU ran out of memory; .*maxTokensPerGpu/);
});

Deno.test("explainFailure() shows the error of an actor's constructor, without a guessed cause", () => {
  const text = failureText(
    explain(UNKNOWN_LOGS["an error of an actor's constructor"]!),
  );
  assert.match(text, /ValueError: Unknown tokenizer class$/);
  assert.doesNotMatch(text, /Likely cause/);
});
