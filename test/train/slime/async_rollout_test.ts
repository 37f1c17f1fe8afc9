import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { testPython, withoutPython } from "../../support/python.ts";
import { slimeArgs } from "../../support/slime_bridge.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const ignore = withoutPython();

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

interface Rollout {
  readonly groups: readonly (readonly number[])[];
  readonly indices: readonly number[];
  readonly attempts: readonly (number | null)[];
  readonly removed: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly under_way: number;
}

/**
 * Runs asynchronous rollouts on twelve tasks in a separate Python process. Each rollout has two groups of two episodes.
 */
async function collect(
  dir: string,
  { args = {}, ...input }: Record<string, unknown> & {
    readonly args?: Record<string, unknown>;
  },
): Promise<{ code: number; stderr: string; rollouts: Rollout[] }> {
  const rows = Array.from(
    { length: 12 },
    (_, index) =>
      JSON.stringify({
        prompt: index,
        metadata: { split: "train", env: "retail" },
      }),
  );
  await Deno.writeTextFile(`${dir}/rows.jsonl`, rows.join("\n"));
  const child = new Deno.Command(testPython()!, {
    args: ["-B", pathOf("test/support/slime/async_drive.py")],
    env: {
      PYTHONPATH: `${pathOf("train/slime")}:${pathOf("test/support/slime")}`,
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const text = JSON.stringify({
    rollouts: 3,
    rewards: [0, 1],
    ...input,
    args: slimeArgs("http://127.0.0.1:1", {
      prompt_data: `${dir}/rows.jsonl`,
      rollout_batch_size: 2,
      n_samples_per_prompt: 2,
      num_rollout: 3,
      custom_generate_function_path: "fake_episodes.generate",
      dynamic_sampling_filter_path: "generate.keep_group",
      taulab_max_staleness: 1,
      ...args,
    }),
  });
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const lines = new TextDecoder().decode(stdout).split("\n").filter(Boolean);
  return {
    code,
    stderr: new TextDecoder().decode(stderr),
    rollouts: lines.map((line) => JSON.parse(line)),
  };
}

Deno.test({
  name:
    "generate_rollout() starts no more groups than can be trained on in time, and trains on each once (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const { rollouts, ...end } = await collect(dir, { fake: true });
      assert.equal(end.code, 0, end.stderr);
      assert.deepEqual(rollouts.map(({ under_way }) => under_way), [2, 2, 0]);
      const indices = rollouts.flatMap(({ indices }) => indices);
      assert.equal(indices.length, 12);
      assert.equal(new Set(indices).size, 12);
      assert.deepEqual(
        rollouts.map(({ metrics }) => metrics["taulab/staleness"]),
        [0, 1, 1],
      );
    }),
});

Deno.test({
  name:
    "generate_rollout() without staleness leaves no group in progress between rollouts (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const { rollouts, ...end } = await collect(dir, {
        fake: true,
        args: { taulab_max_staleness: 0 },
      });
      assert.equal(end.code, 0, end.stderr);
      for (const { under_way, metrics } of rollouts) {
        assert.equal(under_way, 0);
        assert.equal(metrics["taulab/staleness"], 0);
      }
    }),
});

Deno.test({
  name:
    "generate_rollout() replays a group that has become too old (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      // Task 1 starts in rollout 0 and ends when rollout 2 begins.
      const { rollouts, ...end } = await collect(dir, {
        fake: true,
        rollouts: 4,
        held: { 1: 2 },
        args: { num_rollout: 4 },
      });
      assert.equal(end.code, 0, end.stderr);
      const at = rollouts.findIndex(({ groups }) =>
        groups.some(([task]) => task === 1)
      );
      assert.ok(at >= 2, `${at}`);
      const { attempts, groups } = rollouts[at]!;
      const place = 2 * groups.findIndex(([task]) => task === 1);
      assert.deepEqual(attempts.slice(place, place + 2), [2, 2]);
      const stale = rollouts.map(({ metrics }) =>
        metrics["taulab/stale_groups"]
      );
      assert.deepEqual(stale.filter((count) => count !== 0), [1]);
    }),
});

Deno.test({
  name:
    "generate_rollout() replays only the samples that an engine aborted (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const { rollouts, ...end } = await collect(dir, {
        fake: true,
        aborted: [0, 3],
      });
      assert.equal(end.code, 0, end.stderr);
      for (const { groups, attempts, removed } of rollouts) {
        assert.equal(removed, 0);
        groups.flat().forEach((task, at) =>
          assert.equal(attempts[at], [0, 3].includes(task) ? 2 : 1)
        );
      }
    }),
});

Deno.test({
  name:
    "generate_rollout() filters groups, but accepts equal rewards once enough were judged (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const { rollouts, ...end } = await collect(dir, {
        fake: true,
        rewards: [0, 0],
        args: { taulab_filter_rounds: 2 },
      });
      assert.equal(end.code, 0, end.stderr);
      for (const { groups, metrics } of rollouts) {
        assert.equal(groups.length, 2);
        const dropped = metrics["rollout/dynamic_filter/drop_zero_std_0.0"]!;
        assert.ok(dropped >= 4, `${dropped}`);
      }
    }),
});

Deno.test({
  name:
    "generate_rollout() ends the job on a setup error and on an outage (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await using server = Deno.serve(
        { port: 0, hostname: "127.0.0.1", onListen() {} },
        (request) =>
          new URL(request.url).pathname === "/episodes"
            ? new Response("the budget is spent", { status: 402 })
            : new Response("no", { status: 404 }),
      );
      const url = `http://127.0.0.1:${server.addr.port}`;
      const real = {
        custom_generate_function_path: "generate.generate",
        taulab_services: [url],
      };
      const refused = await collect(dir, { args: real });
      assert.notEqual(refused.code, 0);
      assert.deepEqual(refused.rollouts, []);
      assert.match(refused.stderr, /SetUpError: .*the budget is spent/);
      const outage = await collect(dir, {
        args: {
          ...real,
          rollout_batch_size: 16,
          taulab_services: ["http://127.0.0.1:1"],
          taulab_patience_s: 0,
          taulab_outage_s: 0,
        },
      });
      assert.notEqual(outage.code, 0);
      assert.match(
        outage.stderr,
        /SetUpError: all episodes failed for 0 s/,
      );
    }),
});
