import assert from "node:assert/strict";
import { audit } from "../../../../../env/audit/audit.ts";
import { createCertifier } from "../../../../../env/data/generated/certificate/certificate.ts";
import { Refusal } from "../../../../../env/data/generated/certificate/subject.ts";
import { isWrite } from "../../../../../env/audit/finding.ts";
import { generatedAirlineWorld } from "../../../../../env/data/generated/generated.ts";

const SMALL = { trainTasks: 60, devTasks: 10, testTasks: 10 };

Deno.test("generatedAirlineWorld() certifies every task, whatever the seed", async () => {
  for (const seed of [1, 2, 3]) {
    const world = await generatedAirlineWorld(seed, {
      ...SMALL,
      refusedShare: 0.3,
      twoIntentShare: 0.3,
      passengersMax: 3,
    });
    assert.equal(world.certificates.size, 80);
  }
});

Deno.test("generatedAirlineWorld() gives the same bytes for a seed, and others for another", async () => {
  const [a, b, c] = await Promise.all(
    [1, 1, 2].map((seed) => generatedAirlineWorld(seed, SMALL)),
  );
  assert.equal(a?.fingerprint, b?.fingerprint);
  assert.notEqual(a?.fingerprint, c?.fingerprint);
});

Deno.test("generatedAirlineWorld(): audit() suggests no exclusion", async () => {
  const dataset = await generatedAirlineWorld(4, SMALL);
  const tasks = dataset.splits.flatMap((split) => dataset.tasks(split));
  const { findings } = audit(dataset);
  assert.equal(tasks.length, 80);
  assert.deepEqual(findings.filter(({ exclude }) => exclude), []);
});

Deno.test("generatedAirlineWorld(): a gold write that is dropped or made twice is refused", async () => {
  const dataset = await generatedAirlineWorld(5, SMALL);
  const certify = createCertifier(dataset);
  for (const task of dataset.tasks("train")) {
    const at = task.actions.findIndex(isWrite);
    if (at < 0) continue;
    const write = task.actions[at]!;
    const dropped = task.actions.filter((_, i) => i !== at);
    const twice = [...task.actions, write];
    for (const actions of [dropped, twice]) {
      const result = await certify({ ...task, id: `${task.id}x`, actions });
      assert.ok(result instanceof Refusal, `${task.id}: ${write.name}`);
    }
  }
});
