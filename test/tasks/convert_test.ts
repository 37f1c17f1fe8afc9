import { deepStrictEqual, doesNotMatch, match, ok } from "node:assert/strict";
import { dirname, join } from "node:path";
import {
  type ConverterWorld as World,
  exists,
  inWorld,
} from "../support/converter.ts";
import { runTask, taskCommand } from "../support/task_process.ts";
import { fileURLToPath } from "node:url";
import { fakeHost, HAS_SSHD } from "../support/sshd.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url)).replace(
  /\/$/,
  "",
);

/**
 * Returns Deno's cache directory on this machine. The test host uses it too, because its own home directory has no
 * cache.
 */
async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

function convertTask(world: World, ...args: string[]) {
  return runTask("convert", [...world.slime.flags, ...args]);
}

Deno.test("convert runs slime's tool and verifies the result, and has nothing to do the second time", async () => {
  await inWorld(async (world) => {
    const { hf, out, slime } = world;
    const first = await convertTask(world, "--from", hf, "--to", out);
    deepStrictEqual(first.code, 0, first.stderr);
    match(first.stdout, /every tensor is equal/);
    ok(await exists(join(out, "latest_checkpointed_iteration.txt")));
    ok(!await exists(`${out}.converting`));
    const [call] = await slime.calls();
    match(
      call!,
      new RegExp(`^${slime.dir}:${slime.dir} --swiglu --num-layers 3 `),
    );
    match(call!, /--vocab-size 100 --kv-channels 8 /);
    match(call!, new RegExp(`--hf-checkpoint ${hf} --save ${out}.converting$`));
    const second = await convertTask(
      world,
      "--from",
      hf,
      "--to",
      out,
      "--json",
    );
    deepStrictEqual(second.code, 0, second.stderr);
    deepStrictEqual(JSON.parse(second.stdout).state, "up_to_date");
    deepStrictEqual((await slime.calls()).length, 1);
  });
});

Deno.test("a stopped convert leaves no process behind, and the next one continues", async () => {
  await inWorld(async (world) => {
    const { hf, out, slime, megatron } = world;
    await slime.prepare(megatron, "hang");
    const child = taskCommand("convert", [
      ...slime.flags,
      "--from",
      hf,
      "--to",
      out,
    ]).spawn();
    const output = child.output();
    while (!await exists(join(`${out}.converting`, "half"))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    child.kill("SIGINT");
    deepStrictEqual((await output).code, 130);
    await slime.prepare(megatron);
    const again = await convertTask(world, "--from", hf, "--to", out); // the lock is free only if the tool has ended
    deepStrictEqual(again.code, 0, again.stderr);
  });
});

Deno.test("convert --dry-run prints the commands and runs none; --gpus shares the work", async () => {
  await inWorld(async (world) => {
    const { hf, out, slime } = world;
    const { code, stdout } = await convertTask(
      world,
      "--from",
      hf,
      "--to",
      out,
      "--gpus",
      "2",
      "--dry-run",
    );
    deepStrictEqual(code, 0);
    match(
      stdout,
      /PYTHONPATH=.* sh -m torch.distributed.run --nproc-per-node 2 tools\/convert_hf_to_torch_dist.py --swiglu/,
    );
    match(stdout, /mv .*\.converting /);
    deepStrictEqual(await slime.calls(), []);
  });
});

Deno.test("convert of a recipe without reference reports that slime loads the directory directly", async () => {
  await inWorld(async (world) => {
    const { hf, slime } = world;
    await Deno.mkdir(
      join(slime.dir, "slime/backends/megatron_utils/hf_to_megatron"),
      { recursive: true },
    );
    const flags = ["--recipe", "qwen3-4b", "--set", `model.directory=${hf}`];
    const old = await convertTask(world, ...flags);
    match(old.stderr, /the installed slime is too old/);
    await Deno.writeTextFile(
      join(
        slime.dir,
        "slime/backends/megatron_utils/hf_to_megatron/__init__.py",
      ),
      "",
    );
    const { code, stdout } = await convertTask(world, ...flags, "--json");
    deepStrictEqual([code, JSON.parse(stdout).state], [0, "not_needed"]);
    const other = await convertTask(world, ...flags, "--to", world.out);
    deepStrictEqual(other.code, 2);
    match(
      other.stderr,
      /does not match Qwen3-4B-Instruct-2507: rope_theta is 1000000, .* 5000000/,
    );
  });
});

Deno.test("convert --verify prints a table and one line per fault, and --json the full report", async () => {
  await inWorld(async (world) => {
    const { hf, megatron, forgetful } = world;
    const good = await convertTask(
      world,
      "--verify",
      "--from",
      megatron,
      "--to",
      hf,
    );
    deepStrictEqual(good.code, 0, good.stderr);
    match(good.stdout, /q_proj +3 +\[32, 32\] +BF16 BF16 +equal/);
    match(good.stdout, /The checkpoints are equal: 35 tensors/);
    const bad = await convertTask(
      world,
      "--verify",
      "--from",
      hf,
      "--to",
      forgetful,
    );
    deepStrictEqual(bad.code, 1);
    match(
      bad.stdout,
      /✗ missing: model.layers.0.self_attn.o_proj.weight and 2 more: /,
    );
    const json = await convertTask(
      world,
      "--verify",
      "--from",
      hf,
      "--to",
      forgetful,
      "--json",
    );
    deepStrictEqual(json.code, 1);
    const report = JSON.parse(json.stdout);
    deepStrictEqual(
      [report.equal, report.faults.length, report.tensors.length],
      [false, 1, 3 * 10 + 2],
    );
    const alone = await convertTask(world, "--verify", "--from", hf);
    match(alone.stdout, /The model is complete: 35 tensors/);
    const recipe = await convertTask(
      world,
      "--verify",
      "--from",
      hf,
      "--recipe",
      "qwen3-0.6b",
    );
    deepStrictEqual(recipe.code, 1);
    ok(recipe.stdout.split("\n").length < 40);
    match(
      recipe.stdout,
      /config.json of ".*" describes another model: .*layers 3, not 28/,
    );
  });
});

Deno.test({
  name:
    "convert --host converts and verifies on a host behind ssh (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inWorld(async (world) => {
      const { hf, megatron, out, dir, slime, forgetful } = world;
      await using there = await fakeHost(dir, "gpu1");
      const taulab = join(there.home, "lab");
      await Deno.mkdir(taulab);
      await Deno.symlink(ROOT, join(taulab, "taulab"));
      const deno = join(taulab, `deno-${Deno.version.deno}/bin/deno`);
      await Deno.mkdir(dirname(deno), { recursive: true });
      await Deno.writeTextFile(
        deno,
        `#!/bin/sh\nexport DENO_DIR=${await denoDir()}\nexec ${Deno.execPath()} "$@"\n`,
        { mode: 0o755 },
      );
      const { name, ...host } = there.host;
      const hosts = join(dir, "hosts.yaml");
      await Deno.writeTextFile(
        hosts,
        JSON.stringify({ [name]: { ...host, dir: taulab } }),
      );
      const flags = ["--host", name, "--hosts", hosts];
      const { code, stderr, stdout } = await convertTask(
        world,
        ...flags,
        "--from",
        hf,
        "--to",
        out,
      );
      deepStrictEqual(code, 0, stderr);
      match(stdout, /every tensor is equal/);
      await slime.prepare(forgetful);
      const bad = await convertTask(
        world,
        ...flags,
        "--from",
        hf,
        "--to",
        `${out}2`,
      );
      deepStrictEqual(bad.code, 1);
      match(bad.stderr, /linear_proj.weight" is missing/);
      const alone = await convertTask(
        world,
        ...flags,
        "--verify",
        "--from",
        hf,
        "--to",
        megatron,
        "--json",
      );
      deepStrictEqual([alone.code, JSON.parse(alone.stdout).equal], [0, true]);
      await Deno.remove(join(taulab, "taulab"));
      const without = await convertTask(
        world,
        ...flags,
        "--verify",
        "--from",
        hf,
      );
      deepStrictEqual(without.code, 1);
      match(
        without.stderr,
        /run "deno task setup --serve gpu1" to install taulab there/,
      );
    }),
});

Deno.test("convert reports what is missing with exit status 2 and no stack", async () => {
  await inWorld(async (world) => {
    const { hf, dir, out, megatron } = world;
    for (
      const [args, words] of [
        [[], /No checkpoint to convert was given/],
        [["--from", join(dir, "none"), "--to", out], /is not a checkpoint/],
        [
          [
            ...["--recipe", "qwen3-4b", "--set"],
            `model.directory=${join(dir, "none")}`,
          ],
          /is not a checkpoint.*\nhint: .*deno task setup --recipe qwen3-4b.*--from DIR/,
        ],
        [
          ["--from", megatron, "--to", out],
          /lacks the config and tokenizer.*\nhint: .*--origin/,
        ],
        [["--from", hf], /No target directory is set/],
        [
          ["--from", hf, "--to", out, "--set", "paths.slime=/nowhere"],
          /There is no slime in "\/nowhere"/,
        ],
        [
          ["--from", hf, "--recipe", "tau-retail"],
          /"tau-retail\.yaml" is not a slime recipe/,
        ],
      ] as const
    ) {
      const { code, stderr } = await convertTask(world, ...args);
      deepStrictEqual(code, 2, stderr);
      match(stderr, words);
      doesNotMatch(stderr, /\n +at /);
    }
  });
});
