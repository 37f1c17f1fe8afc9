import assert from "node:assert/strict";
import { join } from "node:path";
import { planSetup } from "../../../../train/slime/setup/setup_plan.ts";
import {
  checkSetup,
  runSetup,
  type SetupEvent,
} from "../../../../train/slime/setup/run_setup.ts";
import { undoSetup } from "../../../../train/slime/setup/undo.ts";
import {
  changes,
  commit,
  git,
  misbehave,
  worldContext,
} from "../../../support/setup_world.ts";
import { HAS_SSHD } from "../../../support/sshd.ts";
import {
  inWorld,
  isThere,
  states,
  type World,
} from "../../../support/setup_hosts.ts";

function test(
  name: string,
  hosts: number,
  body: (world: World) => Promise<void>,
): void {
  Deno.test({
    name: `${name} (needs sshd)`,
    ignore: !HAS_SSHD,
    fn: () => inWorld(hosts, body),
  });
}

/**
 * Checks whether a command line belongs to the watcher, which ends the processes of a stopped command and then exits
 * within seconds.
 */
function isWatcher(line: string): boolean {
  return line === "sleep 5" || line.includes('eval "$line"');
}

const ALL = ["venv", "slime", "requirements", "slime-package", "packages"];

function allAre(state: string, more: readonly string[] = ["model"]): string {
  return [...ALL, ...more].map((id) =>
    `${id} ${id === "packages" ? "done" : state}`
  ).join(", ");
}

test(
  "runSetup() sets up two hosts concurrently, and changes nothing the second time",
  2,
  async (world) => {
    const plans = planSetup(await world.options());
    const first = await runSetup(plans, worldContext());
    assert.deepEqual(first.map(({ error }) => error), [undefined, undefined]);
    for (const [i, report] of first.entries()) {
      assert.equal(states(report), allAre("ran"));
      const head = await git(world.home(i, "slime"), "rev-parse", "HEAD");
      assert.equal(head.trim(), world.slime.second);
      assert.ok(!await isThere(world.home(i, "slime.taulab-partial")));
    }
    const before = await changes(world.root(0));
    assert.ok(
      before.some((line) => line.startsWith("hf download Qwen/Qwen3-0.6B")),
    );
    const second = await runSetup(plans, worldContext());
    for (const report of second) assert.equal(states(report), allAre("done"));
    assert.deepEqual(await changes(world.root(0)), before);
  },
);

test(
  "checkSetup() reports what setup would do, and changes nothing",
  1,
  async (world) => {
    const plans = planSetup(await world.options());
    const [report] = await checkSetup(plans, worldContext());
    assert.equal(
      states(report!),
      "venv todo, slime todo, requirements todo, slime-package todo, packages refused, model todo",
    );
    assert.deepEqual(await changes(world.root(0)), []);
    assert.ok(!await isThere(world.home(0, ".taulab")));
  },
);

for (
  const [step, program, whole] of [
    ["slime", "git", "slime"],
    ["model", "hf", "model"],
    ["venv", "python3", "venv"],
  ] as const
) {
  test(
    `runSetup() that was interrupted in ${step} continues, and its partial work can still be undone`,
    1,
    async (world) => {
      const plans = planSetup(await world.options());
      await misbehave(world.root(0), program, "hang");
      const stop = new AbortController();
      const [host] = world.hosts;
      const started = (async () => {
        while (
          !(await host!.processes()).some((line) => /sleep 4730/.test(line))
        ) {
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        stop.abort();
      })();
      const [stopped] = await runSetup(plans, worldContext(stop.signal));
      await started;
      assert.match(stopped!.error ?? "", /stopped; run the same command again/);
      assert.equal(
        stopped!.steps.find(({ id }) => id === step)?.state,
        "stopped",
      );
      assert.deepEqual(
        (await host!.processes()).filter((line) => !isWatcher(line)),
        [],
      );
      if (step === "slime") assert.ok(!await isThere(world.home(0, whole)));
      await misbehave(world.root(0), program, undefined);
      const [report] = await runSetup(plans, worldContext());
      assert.equal(report!.error, undefined);
      assert.equal(report!.steps.find(({ id }) => id === step)?.state, "ran");
      const [again] = await runSetup(plans, worldContext());
      assert.equal(states(again!), allAre("done"));
      const undone = await undoSetup(plans, {
        ...worldContext(),
        only: [],
        dryRun: false,
      });
      assert.equal(undone[0]!.error, undefined);
      assert.ok(!await isThere(world.home(0, whole)));
      assert.ok(!await isThere(world.home(0, `${whole}.taulab-partial`)));
    },
  );
}

test(
  "runSetup() retries network failures, then fails with the command and its last output",
  2,
  async (world) => {
    const plans = planSetup(await world.options());
    await misbehave(world.root(0), "git", "fail-once");
    await misbehave(world.root(1), "hf", "fail");
    const [one, two] = await runSetup(plans, worldContext());
    assert.equal(one!.error, undefined);
    assert.match(
      two!.error ?? "",
      /^gpu2: model: exit status 1 from: .*hf download Qwen\/Qwen3-0\.6B[^]*hf: out of luck[^]*run the same command again/,
    );
    const tries = (await changes(world.root(1))).filter((l) =>
      l.startsWith("hf")
    );
    assert.equal(tries.length, 3);
  },
);

test(
  "runSetup() continues if a host is down or rejects the key, and reports which",
  3,
  async (world) => {
    const options = await world.options();
    await world.hosts[1]!.stop();
    const [one, two, three] = options.hosts;
    const keyless = {
      ...three!,
      ssh: { ...three!.ssh, identity: join(world.dir, "gpu1/user_key") },
    };
    const plans = planSetup({
      ...options,
      hosts: [one, two, keyless],
      only: ["slime"],
    });
    const reports = await runSetup(plans, worldContext());
    assert.deepEqual(reports.map(states), [
      "slime ran",
      "slime waiting",
      "slime waiting",
    ]);
    assert.equal(reports[0]!.error, undefined);
    assert.match(
      reports[1]!.error ?? "",
      /^gpu2: nothing listens on the ssh port/,
    );
    assert.match(
      reports[2]!.error ?? "",
      /^gpu3: the host accepts none of the offered keys/,
    );
  },
);

test(
  "runSetup() refuses a checkout with changes or unpublished commits, and moves a clean one to the commit",
  1,
  async (world) => {
    const plans = planSetup({ ...await world.options(), only: ["slime"] });
    const dir = world.home(0, "slime");
    await git(world.dir, "clone", "-q", world.slime.url, dir);
    await git(dir, "checkout", "-q", "-b", "mine", world.slime.first);
    const run = async () => (await runSetup(plans, worldContext()))[0]!;

    await Deno.writeTextFile(join(dir, "slime/__init__.py"), "patched = 1\n");
    assert.match(
      (await run()).error ?? "",
      /slime has local changes \(number of files: 1, see/,
    );
    assert.equal(
      await Deno.readTextFile(join(dir, "slime/__init__.py")),
      "patched = 1\n",
    );
    const own = await commit(dir, "own");
    assert.match(
      (await run()).error ?? "",
      /not on a remote branch; pass that commit with/,
    );
    assert.equal((await git(dir, "rev-parse", "HEAD")).trim(), own);
    await git(dir, "reset", "-q", "--hard", world.slime.first);
    assert.equal(states(await run()), "slime ran");
    assert.equal(
      (await git(dir, "rev-parse", "HEAD")).trim(),
      world.slime.second,
    );

    const [undone] = await undoSetup(plans, {
      ...worldContext(),
      only: [],
      dryRun: false,
    });
    assert.equal(undone!.things[0]?.state, "undone");
    assert.equal(
      (await git(dir, "symbolic-ref", "--short", "HEAD")).trim(),
      "mine",
    );
    await Deno.remove(dir, { recursive: true });
    await Deno.mkdir(dir);
    assert.match(
      (await run()).error ?? "",
      /is not a git checkout; move it away/,
    );
  },
);

test(
  "runSetup() in a container: image, container, and all other steps inside",
  1,
  async (world) => {
    const options = {
      ...await world.options({
        "model.directory": join(world.dir, "model"),
        "checkpoint.directory": join(world.dir, "checkpoints"),
      }),
      in: "container" as const,
      venv: undefined,
    };
    const plans = planSetup(options);
    const run = async () => (await runSetup(plans, worldContext()))[0]!;
    const first = await run();
    assert.equal(first.error, undefined);
    assert.equal(
      states(first),
      "image ran, container ran, slime ran, slime-package ran, packages done, model ran",
    );
    const calls = await Deno.readTextFile(join(world.root(0), "calls"));
    assert.match(calls, /docker run .*--gpus all --shm-size 16g .*--ipc host/);
    assert.match(calls, /docker exec -i taulab-slime sh -c/);
    const before = await changes(world.root(0));
    assert.doesNotMatch(states(await run()), / ran/);
    assert.deepEqual(await changes(world.root(0)), before);

    const container = join(world.root(0), "containers/taulab-slime");
    await Deno.writeTextFile(
      container,
      (await Deno.readTextFile(container)).replace("true", "false"),
    );
    assert.match(states(await run()), /image done, container ran, slime done/);
    await Deno.writeTextFile(container, "true other\n");
    assert.match(
      (await run()).error ?? "",
      /already exists and was created with other flags; choose/,
    );
  },
);

test("runSetup() reports the progress of a download", 1, async (world) => {
  const plans = planSetup({ ...await world.options(), only: ["model"] });
  const events: SetupEvent[] = [];
  const context = worldContext();
  await misbehave(world.root(0), "hf", "hang");
  const stop = new AbortController();
  await runSetup(plans, {
    ...context,
    signal: stop.signal,
    onEvent: (event) => {
      events.push(event);
      if ((event.progress?.bytes ?? 0) > 0) stop.abort();
    },
  });
  const progress = events.find((event) => event.progress)?.progress;
  assert.ok(progress!.total > 1e9 && progress!.total < 2e9);
});

test(
  "runSetup() rejects a second setup of a host until the first has ended",
  1,
  async (world) => {
    const plans = planSetup({ ...await world.options(), only: ["slime"] });
    await misbehave(world.root(0), "git", "hang");
    const stop = new AbortController();
    const underway = Promise.withResolvers<void>();
    const first = runSetup(plans, {
      ...worldContext(stop.signal),
      onEvent: ({ state }) => state === "running" && underway.resolve(),
    });
    await underway.promise;
    const [second] = await runSetup(plans, worldContext());
    assert.match(
      second!.error ?? "",
      /gpu1: another setup is running on this host \(\S+ process \d+ since/,
    );
    stop.abort();
    await first;
    await misbehave(world.root(0), "git", undefined);
    const [third] = await runSetup(plans, worldContext());
    assert.equal(states(third!), "slime ran");
  },
);

test(
  "runSetup() of hosts that share a directory: one sets it up, the other waits and finds it done",
  2,
  async (world) => {
    const options = await world.options({
      "paths.slime": join(world.dir, "shared/slime"),
    });
    const dir = join(world.dir, "shared/taulab");
    const plans = planSetup({
      ...options,
      hosts: options.hosts.map((host) => ({ ...host!, dir })),
      only: ["slime"],
    });
    const waited: string[] = [];
    const reports = await runSetup(plans, {
      ...worldContext(),
      onEvent: ({ state, detail }) =>
        state === "waiting" && waited.push(detail),
    });
    assert.deepEqual(reports.map(states).sort(), ["slime done", "slime ran"]);
    assert.match(waited[0] ?? "", /another host of this run/);
    const calls = [
      ...await changes(world.root(0)),
      ...await changes(world.root(1)),
    ];
    assert.equal(calls.filter((line) => line.includes("fetch")).length, 1);
  },
);

test(
  "runSetup() restarts a stalled download, and finally fails",
  1,
  async (world) => {
    const plans = planSetup({ ...await world.options(), only: ["model"] });
    await misbehave(world.root(0), "hf", "hang");
    const lines: string[] = [];
    const [report] = await runSetup(plans, {
      ...worldContext(),
      stallMs: 1_500,
      onEvent: ({ detail }) => lines.push(detail),
    });
    assert.match(
      report!.error ?? "",
      /model: exit status 124 from: .*\n +no output for 2 s/,
    );
    assert.equal(lines.filter((line) => /retrying in/.test(line)).length, 2);
    const asked = (await changes(world.root(0))).filter((l) => /^hf/.test(l));
    assert.equal(asked.length, 3);
  },
);
