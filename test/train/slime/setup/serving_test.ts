import assert from "node:assert/strict";
import { join } from "node:path";
import { readPackage } from "../../../../train/slime/setup/package.ts";
import { planSetup } from "../../../../train/slime/setup/setup_plan.ts";
import { runSetup } from "../../../../train/slime/setup/run_setup.ts";
import { undoSetup } from "../../../../train/slime/setup/undo.ts";
import { worldContext } from "../../../support/setup_world.ts";
import { HAS_SSHD } from "../../../support/sshd.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { inWorld, isThere, states } from "../../../support/setup_hosts.ts";

Deno.test({
  name:
    "runSetup() installs taulab and imports data on the hosts that serve episodes (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inWorld(1, async (world) => {
      const base = {
        ...await world.options({ "data.source": "tau-bench" }),
        hosts: [],
        serving: [world.hosts[0]!.host],
      };
      const plans = planSetup(base);
      const run = async (now = plans) =>
        (await runSetup(now, worldContext()))[0]!;
      const first = await run();
      assert.equal(first.error, undefined);
      assert.equal(
        states(first),
        "deno ran, taulab ran, tau-bench ran, tau-bench-data ran",
      );
      const home = world.home(0, ".taulab");
      const source = JSON.parse(
        await Deno.readTextFile(join(home, "tau-bench-data/SOURCE.json")),
      );
      assert.equal(source.commit, world.tauBench.second);
      assert.equal(
        await Deno.readTextFile(join(home, "taulab/mod.ts")),
        await Deno.readTextFile(join(base.root, "mod.ts")),
      );
      assert.equal(
        states(await run()),
        "deno done, taulab done, tau-bench done, tau-bench-data done",
      );

      await Deno.writeTextFile(join(home, "taulab/mod.ts"), "// mine\n");
      assert.match(
        (await run()).error ?? "",
        /taulab has local changes: \.\/mod\.ts ;/,
      );
      const kept = await undoSetup(plans, {
        ...worldContext(),
        only: ["taulab"],
        dryRun: false,
      });
      assert.equal(kept[0]!.things[0]?.state, "refused");
    }),
});

Deno.test({
  name:
    "runSetup() installs a newer taulab and removes its old files (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inWorld(1, async (world) => {
      const source = join(world.dir, "taulab-source");
      await Deno.mkdir(join(source, "env"), { recursive: true });
      await Deno.writeTextFile(join(source, "deno.json"), "{}");
      await Deno.writeTextFile(join(source, "env/old name.ts"), "1");
      const plansOf = async () =>
        planSetup({
          ...await world.options({ "data.source": "generated" }),
          hosts: [],
          serving: [world.hosts[0]!.host],
          taulab: await readPackage(source),
        });
      const there = world.home(0, ".taulab/taulab");
      const [first] = await runSetup(await plansOf(), worldContext());
      assert.equal(first!.error, undefined);
      await Deno.mkdir(join(there, "runs"));
      await Deno.remove(join(source, "env/old name.ts"));
      await Deno.writeTextFile(join(source, "env/new.ts"), "2");
      const plans = await plansOf();
      const [second] = await runSetup(plans, worldContext());
      assert.equal(states(second!), "deno done, taulab ran");
      const names = (await Array.fromAsync(Deno.readDir(join(there, "env"))))
        .map(({ name }) => name);
      assert.deepEqual(names, ["new.ts"]);
      assert.ok(await isThere(join(there, "runs")));
      const [undone] = await undoSetup(plans, {
        ...worldContext(),
        only: [],
        dryRun: false,
      });
      assert.equal(undone!.things[0]?.state, "undone");
      assert.ok(!await isThere(join(there, "deno.json")));
    }),
});

Deno.test("readPackage() has the same id for the same files, and another id for other files", async () => {
  await inTempDir(async (dir) => {
    await Deno.mkdir(join(dir, "env"));
    await Deno.writeTextFile(join(dir, "env/a.ts"), "1");
    const first = await readPackage(dir);
    assert.equal((await readPackage(dir)).id, first.id);
    assert.equal(first.files, 1);
    await Deno.writeTextFile(join(dir, "notes"), "not taken along");
    assert.equal((await readPackage(dir)).id, first.id);
    await Deno.rename(join(dir, "env/a.ts"), join(dir, "env/b.ts"));
    assert.notEqual((await readPackage(dir)).id, first.id);
  });
});
