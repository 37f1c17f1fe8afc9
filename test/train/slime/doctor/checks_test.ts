import assert from "node:assert/strict";
import { CHECKS } from "../../../../train/slime/doctor/checks.ts";
import { examine } from "../../../../train/slime/doctor/run_check.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { CASES as CLUSTER, withEngines } from "./cases/cluster.ts";
import { CASES as DATA } from "./cases/data.ts";
import { CASES as HOST } from "./cases/host.ts";
import { CASES as MODEL } from "./cases/model.ts";
import { CASES as PLACE } from "./cases/place.ts";

const CASES = [...PLACE, ...HOST, ...CLUSTER, ...MODEL, ...DATA];

for (const { check: id, state, name, says, fix, world } of CASES) {
  Deno.test(`the check ${id}: ${state} for ${name}`, () =>
    inTempDir(async (dir) => {
      await using held = new AsyncDisposableStack();
      const check = CHECKS.find((one) => one.id === id)!;
      const context = await world(held, dir);
      const found = await examine(check, context);
      const shown = JSON.stringify(found, null, 1);
      const meant = found.filter((one) =>
        one.state === state && says.test(one.found)
      );
      assert.ok(meant.length > 0, shown);
      for (const one of meant) {
        if ("fix" in one) assert.match(one.fix, fix ?? /^$/);
      }
      if (state === "pass") {
        assert.ok(found.every((one) => one.state !== "fail"), shown);
      }
    }));
}

Deno.test("CHECKS has every module of checks/, in order, each with a unique id and order", async () => {
  const folder = new URL(
    "../../../../train/slime/doctor/checks/",
    import.meta.url,
  );
  const files = (await Array.fromAsync(Deno.readDir(folder)))
    .map(({ name }) => name.replace(".ts", "").replaceAll("_", "-"));
  assert.deepEqual(CHECKS.map(({ id }) => id).sort(), files.sort());
  const places = CHECKS.map(({ order }) => order);
  assert.deepEqual(places, [...new Set(places)].sort((a, b) => a - b));
  assert.equal(CHECKS[0]!.id, "gpus");
});

Deno.test("every check has a case that passes and one that fails, and each fail says how to fix it", () => {
  const withPython = ["template", "hook"]; // these pass in separate test files, with a real Python
  for (const { id } of CHECKS) {
    const states = CASES.filter(({ check }) => check === id);
    assert.ok(states.some(({ state }) => state === "fail"), id);
    assert.ok(
      states.some(({ state }) => state === "pass") || withPython.includes(id),
      id,
    );
  }
  for (const { state, fix, name } of CASES) {
    assert.equal(
      fix !== undefined,
      state === "warn" || state === "fail",
      name,
    );
  }
});

Deno.test("the check engines never asks an idle colocated engine to generate", async () => {
  await using held = new AsyncDisposableStack();
  const check = CHECKS.find(({ id }) => id === "engines")!;
  const idle = withEngines(held, { engines: 1, running: 0 });
  await check.run(idle.context);
  assert.ok(!idle.engine.asked.includes("/health_generate"));
  const apart = withEngines(held, {
    engines: 1,
    running: 0,
    sets: ["cluster.colocate=false", "cluster.rolloutGpus=1"],
  });
  await check.run(apart.context);
  assert.ok(apart.engine.asked.includes("/health_generate"));
});
