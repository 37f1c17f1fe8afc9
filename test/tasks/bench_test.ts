import assert from "node:assert/strict";
import { readRun } from "../../train/runs/training_dir.ts";
import { runTask } from "../support/task_process.ts";
import { NO_TAU3_BENCH, TAU3_BENCH } from "../support/tau3_bench.ts";
import { inTempDir } from "../support/temp_dir.ts";

/** Settings for runs that take a second: a tiny policy, and few steps with few episodes each. */
const TINY = [
  "model.dim=32",
  "model.heads=2",
  "model.layers=1",
  "model.hidden=64",
  "model.pointerDim=16",
  "model.contextLength=2048",
  "data.generated.trainTasks=24",
  "data.generated.devTasks=2",
  "data.generated.testTasks=2",
  "coldStart.steps=2",
  "coldStart.batchSize=2",
  "rft.steps=1",
  "rft.tasksPerStep=2",
  "rft.updates=1",
  "rl.tasksPerStep=2",
  "rl.groupSize=2",
  "rollout.maxTokensPerTurn=24",
  "rollout.maxTurns=8",
].flatMap((set) => ["--set", set]);

Deno.test("bench --estimators trains each variant once, from the same cold start", () =>
  inTempDir(async (dir) => {
    const bench = (...args: string[]) =>
      runTask("bench", [
        "--estimators",
        "grpo,sequence,vineppo",
        ...["--seeds", "2", "--steps", "1", "--threads", "1", "--runs", dir],
        ...TINY,
        ...args,
      ]);
    const first = await bench("--json");
    assert.deepEqual([first.code, first.stderr], [0, ""]);
    const json = JSON.parse(first.stdout);
    const names = ["start", "grpo", "sequence", "vineppo"];
    assert.deepEqual(Object.keys(json), names);
    for (const name of names) {
      assert.deepEqual(
        json[name].map(({ seed }: { seed: number }) => seed),
        [1, 2],
      );
      for (const { sampled, greedy, seconds } of json[name]) {
        assert.ok(sampled >= 0 && greedy >= 0 && seconds > 0);
      }
    }
    const rl = async (name: string) =>
      (await readRun(`${dir}/estimators-s2-${name}`)).config.rl;
    assert.equal((await rl("start")).steps, 0);
    assert.equal((await rl("grpo")).advantage, "grpo");
    assert.equal((await rl("sequence")).ratio, "sequence");
    assert.equal((await rl("vineppo")).credit, "vineppo");
    assert.equal((await rl("grpo")).credit, "episode", "not the recipe's");
    const { lines } = await readRun(`${dir}/estimators-s2-grpo`);
    assert.deepEqual(
      lines.filter(({ phase }) => phase !== "eval").map(({ phase }) => phase),
      ["cold_start", "cold_start", "rft", "rl"],
    );
    const before = await Deno.readTextFile(
      `${dir}/estimators-s2-grpo/run.json`,
    );
    const again = await bench();
    assert.match(
      again.stdout,
      /pass\^1 on test +sampled +by seed +greedy +by seed +seconds\n.*\nstart +\d\.\d{3} +\d\.\d{3} \d\.\d{3} .*\ngrpo .*\nsequence .*\nvineppo /,
    );
    assert.equal(
      await Deno.readTextFile(`${dir}/estimators-s2-grpo/run.json`),
      before,
    );
    const other = await bench("--set", "rl.clipLow=0.1");
    assert.equal(other.code, 2);
    assert.match(other.stderr, /Cannot resume .*rl.clipLow is 0.2 in/);
    const none = await runTask("bench", ["--estimators", "ppo"]);
    assert.match(none.stderr, /unknown name "ppo"\nhint: .*dr-grpo,grpo/);
  }));

Deno.test("bench --bridge measures one and two server processes: CPU next to plain requests, an open loop, memory", async () => {
  const { code, stdout, stderr } = await runTask("bench", [
    "--bridge",
    ...["--episodes", "4", "--rounds", "1", "--seconds", "1", "--json"],
  ]);
  assert.equal(code, 0, stderr);
  const { servers, turnsPerEpisode, example } = JSON.parse(stdout);
  // A script has 13 turns; the user may end the conversation earlier.
  assert.ok(turnsPerEpisode > 2 && turnsPerEpisode <= 13);
  assert.equal(example, null);
  assert.deepEqual(
    servers.map(({ processes }: { processes: number }) => processes),
    [1, 2],
  );
  for (const one of servers) {
    // Timings of so few turns mean little on a busy machine, so only their presence is checked.
    assert.ok(one.turnCpuMs.median > 0 && one.plainCpuMs.median > 0);
    assert.ok(one.turnsPerS.median > 0 && "openP99Ms" in one);
    // Four slots are offered the load of 256, so the share of played turns may be small, but not above 1.
    assert.ok(one.openShare.median >= 0 && one.openShare.median <= 1.1);
  }
});

Deno.test({
  name:
    "bench --tau3-bench measures gold episodes per second and the memory of each domain",
  ignore: NO_TAU3_BENCH,
  async fn() {
    const { code, stdout, stderr } = await runTask("bench", [
      "--tau3-bench",
      TAU3_BENCH,
      "--json",
    ]);
    assert.equal(code, 0, stderr);
    const json = JSON.parse(stdout);
    for (const domain of ["airline", "retail", "telecom"]) {
      const of = (key: string) => json[`tau3.${domain}.${key}`];
      assert.ok(of("gold_episodes_per_s") > 0, domain);
      const bytes = of("bytes_per_episode");
      assert.ok(bytes > 100 && bytes < 200 * 1024, `${domain}: ${bytes}`);
      const python = of("python_gold_episodes_per_s");
      assert.ok(python === undefined || python > 0);
    }
  },
});
