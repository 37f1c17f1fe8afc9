/** Tests checkpoints of Qwen3 models with experts. */

import { deepStrictEqual, match, ok, throws } from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import type { CheckpointShape } from "../../../../train/slime/checkpoint/checkpoint_layout.ts";
import {
  configOf,
  type SyntheticChunk,
} from "../../../../train/slime/checkpoint/synthetic_checkpoint.ts";
import { shapeOfConfig } from "../../../../train/slime/checkpoint/shape.ts";
import { openCheckpoint } from "../../../../train/slime/checkpoint/tensor_view.ts";
import {
  faultsOf,
  type PairOptions,
  TINY,
  verify,
  writePair,
} from "../../../support/checkpoints.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const SHAPE: CheckpointShape = {
  ...TINY,
  layers: 4,
  vocab: 200,
  tied: false,
  experts: { count: 4, active: 2, ffn: 16, shared: 0, layers: 4 },
};
/**
 * The number of tensors. Each layer has attention, norms, the router, and three tensors per expert; three tensors
 * belong to no layer.
 */
const TENSORS = 4 * (8 + 1 + 4 * 3) + 3;

function pair<T>(
  options: PairOptions,
  body: (pair: { hf: string; megatron: string }) => Promise<T>,
): Promise<void> {
  return inTempDir(async (dir) => {
    await body(await writePair(dir, { shape: SHAPE, ...options }));
  });
}

Deno.test("verifyCheckpoints() finds the tensors of all experts equal", () =>
  pair({}, async ({ hf, megatron }) => {
    const report = await verify(hf, megatron, { shape: SHAPE });
    deepStrictEqual(faultsOf(report), []);
    deepStrictEqual(report.tensors.length, TENSORS);
    ok(report.tensors.every(({ status }) => status === "equal"));
  }));

Deno.test("verifyCheckpoints() finds an expert in another's place, a missing one, and a changed one", async () => {
  const isFirst = ({ key }: SyntheticChunk) =>
    key.endsWith("experts.experts.linear_fc2.weight");
  const swapped = (chunks: SyntheticChunk[]) => {
    const place = (chunk: SyntheticChunk) =>
      isFirst(chunk) && chunk.offsets[0] === 1 && chunk.offsets[1]! < 2;
    return chunks.map((chunk) =>
      place(chunk)
        ? {
          ...chunk,
          offsets: chunk.offsets.map((at, axis) => axis === 1 ? 1 - at : at),
        }
        : chunk
    );
  };
  await pair({ megatron: swapped }, async ({ hf, megatron }) => {
    const { tensors } = await verify(hf, megatron, { shape: SHAPE });
    deepStrictEqual(
      tensors.filter(({ status }) => status !== "equal").map(({ name }) => name)
        .sort(),
      [0, 1].map((expert) =>
        `model.layers.1.mlp.experts.${expert}.down_proj.weight`
      ),
    );
  });
  const lost = (chunks: SyntheticChunk[]) =>
    chunks.filter((chunk) =>
      !(isFirst(chunk) && chunk.offsets[0] === 2 && chunk.offsets[1] === 3)
    );
  await pair({ megatron: lost }, async ({ hf, megatron }) => {
    const { faults } = await verify(hf, megatron, { shape: SHAPE });
    match(
      faults.map(({ what }) => what).join("\n"),
      /a rank's part is missing/,
    );
  });
});

Deno.test("shapeOfConfig() reads experts, and rejects mixed layers and other models with a hint", () => {
  const config = configOf(SHAPE);
  const read = (more: object) =>
    shapeOfConfig(JSON.stringify({ ...config, ...more }), "config.json");
  deepStrictEqual(read({}), SHAPE);
  for (
    const more of [
      { decoder_sparse_step: 2 },
      { mlp_only_layers: [0] },
      { model_type: "glm4_moe" },
    ]
  ) {
    throws(() => read(more), { name: "DataError", hint: /slime.s own tools/ });
  }
  throws(() => read({ num_experts: undefined }), /experts/);
});

Deno.test({
  name:
    "verifyCheckpoints() compares transformers' Qwen3-MoE with Megatron's checkpoint of it, with experts on two ranks (needs Python with megatron-core and transformers)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      const [hf, ranks] = [join(dir, "hf"), join(dir, "ranks")];
      const script = new URL(
        "../../../support/checkpoints.py",
        import.meta.url,
      );
      const jobs = [
        ["make_experts", SHAPE, hf],
        ["megatron", SHAPE, hf, ranks, 1, 1, 2],
      ];
      const { code, stderr } = await new Deno.Command(testPython()!, {
        args: [fileURLToPath(script), JSON.stringify(jobs)],
        stdout: "null",
        stderr: "piped",
      }).output();
      deepStrictEqual(code, 0, new TextDecoder().decode(stderr).slice(-3000));
      const report = await verify(hf, ranks, { shape: SHAPE });
      deepStrictEqual(faultsOf(report), []);
      deepStrictEqual(report.tensors.length, TENSORS);
      ok(report.tensors.every(({ status }) => status === "equal"));
      for (const path of [hf, ranks]) {
        using checkpoint = openCheckpoint(path);
        deepStrictEqual(checkpoint.shape, SHAPE);
      }
    }),
});
