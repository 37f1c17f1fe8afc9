import { deepStrictEqual, match, ok } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { CheckpointShape } from "../../../../train/slime/checkpoint/checkpoint_layout.ts";
import { openTorchDist } from "../../../../train/slime/checkpoint/torch_dist.ts";
import { faultsOf, TINY, verify } from "../../../support/checkpoints.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const SCRIPT = fileURLToPath(
  new URL("../../../support/checkpoints.py", import.meta.url),
);

/**
 * The shape of a model that can be divided between two ranks, with one query group for each rank. Its vocabulary is
 * padded to more rows for two ranks than for one.
 */
const SHAPE: CheckpointShape = { ...TINY, layers: 4, vocab: 200 };
const UNTIED = { ...SHAPE, tied: false };

/** Writes checkpoints with Python. Each job is the name of a function in checkpoints.py, followed by its arguments. */
async function write(...jobs: readonly unknown[][]): Promise<void> {
  const { code, stderr } = await new Deno.Command(testPython()!, {
    args: [SCRIPT, JSON.stringify(jobs)],
    stdout: "null",
    stderr: "piped",
  }).output();
  deepStrictEqual(code, 0, new TextDecoder().decode(stderr).slice(-3000));
}

Deno.test({
  name:
    "verifyCheckpoints() reads checkpoints of Megatron's own model and dist_checkpointing, sharded among ranks (needs Python with megatron-core)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      const [hf, untied, tp, pp] = ["hf", "untied", "tp", "pp"].map((name) =>
        join(dir, name)
      ) as [string, string, string, string];
      await write(
        ["make_hf", SHAPE, hf],
        ["make_hf", UNTIED, untied],
        ["megatron", SHAPE, hf, tp, 2, 1],
        ["megatron", UNTIED, untied, pp, 1, 2],
      );
      const shared = await verify(hf, tp, { shape: SHAPE });
      deepStrictEqual(faultsOf(shared), []);
      ok(shared.tensors.every(({ status }) => status === "equal"));
      match(
        shared.notes.join("\n"),
        /56 rows past the vocabulary, which are zero/,
      );
      match(
        shared.checkpoints[1]!.ignored.join("\n"),
        /linear_proj._extra_state\/shard_0_4/,
      );
      const staged = await verify(pp, untied, { shape: UNTIED });
      deepStrictEqual(faultsOf(staged), []);
      deepStrictEqual(staged.tensors.length, 4 * 11 + 3);
      using dist = openTorchDist(tp);
      const proj = dist.tensors.get(
        "decoder.layers.self_attention.linear_proj.weight",
      )!;
      deepStrictEqual(
        proj.chunks.length,
        8,
        "a chunk of each layer of each rank",
      );
      deepStrictEqual(proj.chunks[0]!.sizes, [1, 32, 16], "columns are shared");
      deepStrictEqual(dist.args!.get("num_query_groups"), 2);
      const other = await verify(untied, tp, { shape: SHAPE });
      deepStrictEqual(
        new Set(other.faults.map(({ kind }) => kind)),
        new Set(["config", "tied"]),
        "the same numbers, the head aside",
      );
    }),
});

Deno.test({
  name:
    "verifyCheckpoints() reads torch.distributed.checkpoint: stacked, numbered, float32, iterations (needs Python with torch)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      const [hf, stacked, numbered, wide] = [
        "hf",
        "stacked",
        "numbered",
        "wide",
      ].map((name) => join(dir, name)) as [string, string, string, string];
      await write(
        ["make_hf", SHAPE, hf],
        ["plain", SHAPE, hf, stacked],
        ["plain", SHAPE, hf, numbered, "bfloat16", true, "iter_0000019"],
        ["plain", SHAPE, hf, wide, "float32"],
      );
      for (const one of [stacked, numbered]) {
        const report = await verify(hf, one, { shape: SHAPE });
        deepStrictEqual(faultsOf(report), []);
        ok(report.tensors.every(({ status }) => status === "equal"));
        match(report.checkpoints[1]!.ignored.join("\n"), /optimizer.state/);
      }
      const rounded = await verify(hf, wide, { shape: SHAPE });
      deepStrictEqual(faultsOf(rounded), []);
      match(rounded.notes.join("\n"), /BF16 and F32.*rounded to BF16/);
    }),
});
