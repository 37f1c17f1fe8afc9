import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { testPython, withoutPython } from "../../support/python.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const ignore = withoutPython();

function pathOf(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

type Event =
  | readonly ["save" | "rollout", number]
  | readonly ["eval", number, number];

/** Replays the events of a job in a new process, because each session of a run is a separate process. */
async function play(
  dir: string,
  events: readonly Event[],
  more: Record<string, unknown> = {},
): Promise<void> {
  const args = {
    save: join(dir, "checkpoints"),
    save_hf: `${join(dir, "exports")}/{rollout_id}`,
    taulab_keep_checkpoints: 2,
    taulab_best_by: "retail-dev",
    n_samples_per_eval_prompt: 1,
    ...more,
  };
  const child = new Deno.Command(testPython()!, {
    args: ["-B", pathOf("test/support/slime/sweep.py")],
    env: {
      PYTHONPATH: `${pathOf("train/slime")}:${pathOf("test/support/slime")}`,
    },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(
    new TextEncoder().encode(JSON.stringify({ args, events })),
  );
  await writer.close();
  const { code, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

/** Returns three lists: the numbers of the rollouts that have a checkpoint, an export, and a data state. */
async function kept(dir: string) {
  async function numbers(path: string, name: RegExp): Promise<number[]> {
    const entries = await Array.fromAsync(Deno.readDir(join(dir, path)));
    return entries.flatMap((entry) => name.exec(entry.name)?.[1] ?? [])
      .map(Number).sort((a, b) => a - b);
  }
  return {
    checkpoints: await numbers("checkpoints", /^iter_(\d+)$/),
    exports: await numbers("exports", /^(\d+)$/),
    states: await numbers("checkpoints/rollout", /_(\d+)\.pt$/),
  };
}

function all(...numbers: number[]) {
  return { checkpoints: numbers, exports: numbers, states: numbers };
}

/**
 * Returns the events of a job with a checkpoint and an evaluation every four rollouts. If `isAsync` is true, the next
 * rollout is logged before the evaluation.
 */
function steps(
  from: number,
  scores: readonly number[],
  isAsync = false,
): Event[] {
  return scores.flatMap((score, at): Event[] => {
    const number = from + 4 * at + 3;
    const next: Event = ["rollout", number + 1];
    const evaluated: Event = ["eval", number, score];
    return [
      ["rollout", number],
      ["save", number],
      ...(isAsync ? [next, evaluated] : [evaluated, next]),
    ];
  });
}

for (const isAsync of [false, true]) {
  Deno.test({
    name: `sweep() keeps the last two checkpoints and the best of a ${
      isAsync ? "job that samples one rollout ahead" : "synchronous job"
    } (needs Python)`,
    ignore,
    fn: () =>
      inTempDir(async (dir) => {
        await play(dir, [
          ["eval", 0, 1], // before the first rollout, without a checkpoint
          ["rollout", 0],
          ...steps(0, [0.2, 0.6, 0.3, 0.6, 0.1, 0.2], isAsync),
          ["rollout", 24],
        ]);
        assert.deepEqual(await kept(dir), all(15, 19, 23)); // of two equal rewards, the later one
      }),
  });
}

Deno.test({
  name:
    "sweep() continues in a resumed job with its recorded state (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await play(dir, [["rollout", 0], ...steps(0, [0.9, 0.1, 0.2])]);
      assert.deepEqual(await kept(dir), all(3, 7, 11));
      // Simulates a kill between renaming and removing.
      await Deno.rename(
        join(dir, "checkpoints/iter_0000007"),
        join(dir, "checkpoints/iter_0000007.removed"),
      );
      await play(dir, [["rollout", 12], ...steps(12, [0.3, 0.4])]);
      assert.deepEqual((await kept(dir)).checkpoints, [3, 15, 19]);
      const names = await Array.fromAsync(
        Deno.readDir(join(dir, "checkpoints")),
        ({ name }) => name,
      );
      assert.ok(!names.some((name) => name.endsWith(".removed")), `${names}`);
    }),
});

Deno.test({
  name: "sweep() removes nothing that the run did not write (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      await Deno.mkdir(join(dir, "elsewhere"));
      await Deno.mkdir(join(dir, "checkpoints/iter_0000001"), {
        recursive: true,
      });
      await Deno.mkdir(join(dir, "checkpoints/release"));
      await Deno.symlink(
        join(dir, "elsewhere"),
        join(dir, "checkpoints/iter_0000006"),
      );
      // A later checkpoint than a resume would load, from a job that was killed while saving.
      await Deno.mkdir(join(dir, "checkpoints/iter_0000099"));
      await play(dir, [["rollout", 4], ...steps(4, [0.1, 0.1, 0.1, 0.1])]);
      const { checkpoints } = await kept(dir);
      assert.deepEqual(checkpoints, [1, 6, 15, 19, 99]);
      await Deno.stat(join(dir, "checkpoints/release"));
      await Deno.stat(join(dir, "elsewhere"));
    }),
});

Deno.test({
  name:
    "sweep() keeps the last without evaluations, and all if configured or the record is damaged (needs Python)",
  ignore,
  fn: () =>
    inTempDir(async (dir) => {
      const events: Event[] = [["rollout", 0], ...steps(0, [0.9, 0.5, 0.4])];
      const plain = join(dir, "plain");
      await play(plain, events, {
        taulab_keep_checkpoints: 1,
        taulab_best_by: null,
      });
      assert.deepEqual(await kept(plain), all(11));
      const whole = join(dir, "whole");
      await play(whole, events, { taulab_keep_checkpoints: null });
      assert.deepEqual(await kept(whole), all(3, 7, 11));
      const damaged = join(dir, "damaged");
      await Deno.mkdir(join(damaged, "checkpoints"), { recursive: true });
      await Deno.writeTextFile(
        join(damaged, "checkpoints/taulab_checkpoints.json"),
        '{"own": [',
      );
      await play(damaged, events);
      assert.deepEqual(await kept(damaged), all(3, 7, 11));
    }),
});
