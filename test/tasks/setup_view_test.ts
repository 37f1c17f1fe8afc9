import assert from "node:assert/strict";
import {
  findingsText,
  progressText,
  reportText,
} from "../../tasks/_setup_view.ts";
import type {
  HostReport,
  StepReport,
} from "../../train/slime/setup/run_setup.ts";

function step(id: StepReport["id"], state: StepReport["state"]): StepReport {
  return {
    id,
    state,
    title: id,
    detail: state === "ran" ? "2 of 2" : "",
    seconds: 1,
  };
}

const reports: HostReport[] = [
  { host: "gpu1", steps: [step("slime", "done"), step("model", "ran")] },
  { host: "this machine", steps: [step("tau-bench", "refused")], error: "no" },
];

Deno.test("reportText() prints steps by hosts, with a dash if a host has no such step", () => {
  assert.deepEqual(reportText(reports).split("\n").slice(2), [
    "slime      done  –",
    "model      ran   –",
    "tau-bench  –     refused",
  ]);
  assert.equal(findingsText(reports), "gpu1: model: ran: 2 of 2");
});

Deno.test("progressText() shows amount, rate and remaining time if they are known", () => {
  const total = 8.1e9;
  assert.equal(
    progressText({ bytes: 2.1e9, total, bytesPerS: 1.1e8 }),
    "2.1 of 8.1 GB, 110 MB/s, 55 s left",
  );
  assert.equal(
    progressText({ bytes: 0, total, bytesPerS: 0 }),
    "0.0 of 8.1 GB",
  );
  assert.equal(
    progressText({ bytes: 9e9, total, bytesPerS: 1e6 }),
    "8.1 of 8.1 GB, 1 MB/s, 0.0 s left",
  );
});
