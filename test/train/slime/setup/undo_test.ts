import assert from "node:assert/strict";
import { join } from "node:path";
import { planSetup } from "../../../../train/slime/setup/setup_plan.ts";
import { runSetup } from "../../../../train/slime/setup/run_setup.ts";
import {
  type UndoReport,
  undoSetup,
} from "../../../../train/slime/setup/undo.ts";
import { changes, worldContext } from "../../../support/setup_world.ts";
import { HAS_SSHD } from "../../../support/sshd.ts";
import { inWorld, isThere, type World } from "../../../support/setup_hosts.ts";

function test(name: string, body: (world: World) => Promise<void>): void {
  Deno.test({
    name: `${name} (needs sshd)`,
    ignore: !HAS_SSHD,
    fn: () => inWorld(1, body),
  });
}

function undo(
  plans: ReturnType<typeof planSetup>,
  options: { dryRun?: boolean; only?: string[] } = {},
) {
  const { dryRun = false, only = [] } = options;
  return undoSetup(plans, { ...worldContext(), only, dryRun });
}

function states(things: readonly UndoReport[]): string {
  return things.map(({ step, state }) => `${step} ${state}`).join(", ");
}

test("undoSetup() lists and then removes everything that setup made, and keeps everything else", async (world) => {
  const plans = planSetup(await world.options());
  await Deno.writeTextFile(world.home(0, "mine"), "");
  await runSetup(plans, worldContext());
  const before = await changes(world.root(0));
  const [would] = await undo(plans, { dryRun: true });
  assert.equal(
    states(would!.things),
    "model would, slime-package would, requirements gone, slime would, venv would",
  );
  assert.deepEqual(await changes(world.root(0)), before);
  const [done] = await undo(plans);
  assert.equal(
    states(done!.things),
    "model undone, slime-package undone, requirements gone, slime undone, venv undone",
  );
  const left = await Array.fromAsync(Deno.readDir(world.home(0, "")));
  assert.deepEqual(left.map(({ name }) => name).sort(), [
    ".taulab",
    "megatron",
    "mine",
  ]);
  const [again] = await undo(plans);
  assert.deepEqual(again!.things, []);
});

test("undoSetup() keeps and reports what has changed since, and can be repeated", async (world) => {
  const plans = planSetup(await world.options());
  await runSetup(plans, worldContext());
  await Deno.writeTextFile(world.home(0, "slime/notes"), "");
  await Deno.writeTextFile(world.home(0, "model/adapter.bin"), "x");
  const [first] = await undo(plans);
  assert.equal(
    states(first!.things),
    "model refused, slime-package undone, requirements gone, slime refused, venv undone",
  );
  assert.match(first!.things[0]!.detail, /has changed since the download/);
  await Deno.remove(world.home(0, "slime/notes"));
  await Deno.remove(world.home(0, "model/adapter.bin"));
  const [second] = await undo(plans);
  assert.equal(states(second!.things), "model undone, slime undone");
  assert.ok(!await isThere(world.home(0, "model")));
});

test("undoSetup() removes only what setup made, and only the selected steps", async (world) => {
  const plans = planSetup(await world.options());
  await runSetup(plans, worldContext());
  await Deno.remove(world.home(0, ".taulab"), { recursive: true });
  const [stranger] = await undo(plans);
  assert.deepEqual(stranger!.things, []);
  assert.ok(await isThere(world.home(0, "slime")));

  await Deno.remove(world.home(0, "model"), { recursive: true });
  await Deno.remove(world.home(0, "slime"), { recursive: true });
  await runSetup(plans, worldContext());
  const [one] = await undo(plans, { only: ["model"] });
  assert.equal(states(one!.things), "model undone");
  assert.ok(await isThere(world.home(0, "slime")));
});

test("undoSetup() of a container removes it and its image, and the model from its mount", async (world) => {
  const model = join(world.dir, "model");
  const options = {
    ...await world.options({
      "model.directory": model,
      "checkpoint.directory": join(world.dir, "checkpoints"),
    }),
    in: "container" as const,
    venv: undefined,
  };
  const plans = planSetup(options);
  await runSetup(plans, worldContext());
  const container = join(world.root(0), "containers/taulab-slime");
  const label = await Deno.readTextFile(container);
  await Deno.writeTextFile(container, "true another\n");
  const [kept] = await undo(plans, { only: ["container"] });
  assert.equal(states(kept!.things), "container refused");
  await Deno.writeTextFile(container, label);
  await Deno.writeTextFile(join(world.dir, "checkpoints/kept"), "");
  const [done] = await undo(plans);
  assert.equal(
    states(done!.things),
    "model undone, slime-package undone, slime undone, container undone, image undone",
  );
  assert.ok(!await isThere(container) && !await isThere(model));
  assert.ok(await isThere(join(world.dir, "checkpoints/kept")));
});
