import { deepStrictEqual, match, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import {
  type SyntheticChunk,
  type SyntheticTensor,
  writeHf,
} from "../../../../train/slime/checkpoint/synthetic_checkpoint.ts";
import {
  faultsOf,
  type PairOptions,
  TINY,
  verify,
  writePair,
} from "../../../support/checkpoints.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import type { VerifyReport } from "../../../../train/slime/checkpoint/verify_checkpoint.ts";
import { Difference } from "../../../../train/slime/checkpoint/numbers.ts";
import { areEqual } from "../../../../train/slime/checkpoint/compare_tensors.ts";
import {
  openCheckpoint,
  type ViewTensor,
} from "../../../../train/slime/checkpoint/tensor_view.ts";

/** Writes and verifies a pair of checkpoints, and returns the report. */
async function report(options: PairOptions = {}): Promise<VerifyReport> {
  let found: VerifyReport | undefined;
  await inTempDir(async (dir) => {
    const { hf, megatron } = await writePair(dir, options);
    found = await verify(hf, megatron, { shape: options.shape ?? TINY });
  });
  return found!;
}

function changed<T extends { bytes: Uint8Array }>(
  items: T[],
  which: (item: T) => boolean,
  change: (bytes: Uint8Array) => Uint8Array,
): T[] {
  return items.map((item) =>
    which(item) ? { ...item, bytes: change(item.bytes.slice()) } : item
  );
}

function keyed(key: string, layer?: number) {
  return (chunk: SyntheticChunk) =>
    chunk.key.endsWith(key) &&
    (layer === undefined || chunk.offsets[0] === layer);
}

function named(name: string) {
  return (tensor: SyntheticTensor) => tensor.name === name;
}

Deno.test("verifyCheckpoints() finds every tensor of a complete pair equal", async () => {
  for (const tied of [true, false]) {
    const { faults, tensors, bytes } = await report({
      shape: { ...TINY, tied },
    });
    deepStrictEqual(faults, []);
    deepStrictEqual(tensors.length, 3 * 11 + (tied ? 2 : 3));
    ok(tensors.every(({ status }) => status === "equal"));
    ok(bytes > 80_000);
  }
});

Deno.test("verifyCheckpoints() gives the same result in either direction, and for two checkpoints of one format", async () => {
  await inTempDir(async (dir) => {
    const { hf, megatron } = await writePair(dir);
    for (const [a, b] of [[megatron, hf], [hf, hf], [megatron, megatron]]) {
      deepStrictEqual(faultsOf(await verify(a!, b)), []);
    }
  });
});

Deno.test("verifyCheckpoints() reports padded rows, zero or not, and does not compare them", async () => {
  const zero = await report();
  match(zero.notes.join("\n"), /28 rows past the vocabulary, which are zero/);
  const filled = await report({
    megatron: (chunks) =>
      changed(
        chunks,
        keyed("word_embeddings.weight"),
        (bytes) => bytes.fill(1, 100 * 64),
      ),
  });
  deepStrictEqual(filled.faults, []);
  match(
    filled.notes.join("\n"),
    /28 rows past the vocabulary, which are not all zero/,
  );
});

Deno.test("verifyCheckpoints() finds one changed element and its index", async () => {
  const { faults, tensors } = await report({
    megatron: (chunks) =>
      changed(chunks, keyed("linear_fc2.weight", 2), (bytes) => {
        bytes[2 * (5 * 48 + 7)]! ^= 1;
        return bytes;
      }),
  });
  deepStrictEqual(faults.map(({ kind, tensors }) => [kind, tensors]), [
    ["values", ["model.layers.2.mlp.down_proj.weight"]],
  ]);
  const differing = tensors.find(({ status }) => status === "differs")!;
  deepStrictEqual(differing.firstIndex, [5, 7]);
  deepStrictEqual(differing.differing, 1);
});

Deno.test("verifyCheckpoints() reports a missing stack once, with all its layers", async () => {
  const { faults } = await report({
    megatron: (chunks) =>
      chunks.filter((one) => !keyed("linear_proj.weight")(one)),
  });
  deepStrictEqual(faults.length, 1);
  deepStrictEqual(faults[0]!.kind, "missing");
  deepStrictEqual(faults[0]!.tensors.length, 3);
  match(faults[0]!.training, /trains from random values/);
});

Deno.test("verifyCheckpoints() finds a last layer that is missing from all stacks", async () => {
  const { faults } = await report({
    megatron: (chunks) =>
      chunks.filter(({ shape, offsets }) =>
        shape.length === 2 && shape[0] === 128 ||
        shape.length === 1 || offsets[0]! < 2
      )
        .map((one) =>
          one.key.startsWith("decoder.layers.")
            ? { ...one, shape: [2, ...one.shape.slice(1)] }
            : one
        ),
  });
  deepStrictEqual(new Set(faults.map(({ kind }) => kind)), new Set(["shape"]));
  deepStrictEqual(faults.length, 8);
  match(faults[0]!.what, /has the shape \[2, .* but \[3, /);
});

Deno.test("verifyCheckpoints() finds a missing chunk of a rank", async () => {
  const { faults } = await report({
    megatron: (chunks) =>
      chunks.filter((one) =>
        !(keyed("linear_fc1.weight", 1)(one) && one.offsets[1] === 48)
      ),
  });
  deepStrictEqual(faults[0]!.kind, "incomplete");
  match(faults[0]!.what, /lacks indices 48 to 95 along axis 1/);
});

Deno.test("verifyCheckpoints() recognizes swapped gate and up projections", async () => {
  const { faults } = await report({
    megatron: (chunks) =>
      chunks.map((one) =>
        keyed("linear_fc1.weight")(one)
          ? { ...one, offsets: [one.offsets[0]!, 48 - one.offsets[1]!, 0] }
          : one
      ),
  });
  deepStrictEqual(faults.length, 2);
  for (const { what } of faults) match(what, /gate and up are swapped/);
});

Deno.test("verifyCheckpoints() recognizes queries, keys and values that are not interleaved by group", async () => {
  const order = [0, 1, 4, 5, 2, 6, 3, 7]; // blocks of a head: q q q q k k v v from q q k v q q k v
  const { faults } = await report({
    megatron: (chunks) =>
      changed(chunks, keyed("linear_qkv.weight"), (bytes) => {
        const head = bytes.length / 8;
        const moved = new Uint8Array(bytes.length);
        order.forEach((from, to) =>
          moved.set(bytes.subarray(from * head, (from + 1) * head), to * head)
        );
        return moved;
      }),
  });
  deepStrictEqual(faults.length, 3);
  for (const { what } of faults) match(what, /all queries come first/);
});

Deno.test("verifyCheckpoints() recognizes shifted layers, and a matrix that was never filled", async () => {
  const shifted = await report({
    megatron: (chunks) =>
      chunks.map((one) =>
        keyed("linear_proj.weight")(one)
          ? { ...one, offsets: [(one.offsets[0]! + 1) % 3, 0, 0] }
          : one
      ),
  });
  match(shifted.faults[0]!.what, /layers are shifted/);
  const fresh = await report({
    megatron: (chunks) =>
      changed(
        chunks,
        keyed("word_embeddings.weight"),
        (bytes) => normal(bytes, 0.02),
      ),
  });
  match(
    fresh.faults[0]!.what,
    /it still has Megatron's initial values/,
  );
});

/** Returns normally distributed numbers with standard deviation `std` as bfloat16, with the same size as `bytes`. */
function normal(bytes: Uint8Array, std: number): Uint8Array {
  const floats = new Float32Array(bytes.length / 2);
  let seed = 1;
  const uniform = () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647;
  for (let i = 0; i < floats.length; i++) {
    floats[i] = std * Math.sqrt(-2 * Math.log(uniform())) *
      Math.cos(2 * Math.PI * uniform());
  }
  const halves = new Uint16Array(new Uint8Array(floats.buffer).buffer);
  return new Uint8Array(
    Uint16Array.from(floats, (_, i) => halves[2 * i + 1]!).buffer,
  );
}

Deno.test("verifyCheckpoints() recognizes a transposed matrix, and tensors that no model has", async () => {
  const { faults } = await report({
    hf: (tensors) => [
      ...tensors.map((one) =>
        named("model.layers.0.mlp.down_proj.weight")(one)
          ? { ...one, shape: one.shape.toReversed() }
          : one
      ),
      {
        name: "model.layers.3.mlp.down_proj.weight",
        shape: [2],
        bytes: new Uint8Array(4),
      },
    ],
    megatron: (chunks) => [
      ...chunks,
      {
        key: "decoder.extra.weight",
        shape: [2],
        offsets: [0],
        sizes: [2],
        bytes: new Uint8Array(4),
      },
    ],
  });
  deepStrictEqual(faults.map(({ kind }) => kind), [
    "shape",
    "unexpected",
    "unexpected",
  ]);
  match(faults[0]!.what, /transposed/);
  deepStrictEqual(faults[2]!.tensors, ["decoder.extra.weight"]);
});

Deno.test("verifyCheckpoints() finds tensors that the model's directory lacks, and NaN", async () => {
  const { faults } = await report({
    hf: (tensors) =>
      changed(
        tensors.filter((one) =>
          !named("model.layers.1.self_attn.v_proj.weight")(one)
        ),
        named("model.norm.weight"),
        (bytes) => bytes.fill(0xff, 2, 4),
      ),
  });
  deepStrictEqual(faults.map(({ kind }) => kind), [
    "missing",
    "nonfinite",
    "values",
  ]);
});

Deno.test("Difference.largest stays NaN when later elements are finite", () => {
  const bytes = (...numbers: number[]) =>
    new Uint8Array(new Float32Array(numbers).buffer);
  const difference = new Difference();
  const options = { dtype: "F32", rounded: false } as const;
  difference.add(bytes(1, 2), bytes(1, 5), { ...options, at: 0 });
  deepStrictEqual(difference.largest, 3);
  difference.add(bytes(NaN, 1), bytes(0, 2), { ...options, at: 2 });
  deepStrictEqual([difference.count, difference.largest], [3, NaN]);
});

Deno.test("verifyCheckpoints() accepts an output layer next to tied embeddings only if it is equal", async () => {
  const head =
    (change: (bytes: Uint8Array) => Uint8Array) =>
    (tensors: SyntheticTensor[]) => [
      ...tensors,
      {
        ...tensors[0]!,
        name: "lm_head.weight",
        bytes: change(tensors[0]!.bytes.slice()),
      },
    ];
  deepStrictEqual((await report({ hf: head((bytes) => bytes) })).faults, []);
  const { faults } = await report({ hf: head((bytes) => bytes.reverse()) });
  deepStrictEqual(faults.map(({ kind, tensors }) => [kind, tensors]), [
    ["tied", ["lm_head.weight"]],
  ]);
});

Deno.test("verifyCheckpoints() reports an output layer that an untied model lacks in Megatron's format", async () => {
  const { faults } = await report({
    shape: { ...TINY, tied: false },
    megatron: (chunks) =>
      chunks.filter(({ key }) => key !== "output_layer.weight"),
  });
  deepStrictEqual(faults.map(({ kind, tensors }) => [kind, tensors]), [
    ["missing", ["lm_head.weight"]],
  ]);
});

Deno.test("verifyCheckpoints() reports a config and arguments of another model", async () => {
  await inTempDir(async (dir) => {
    const { hf, megatron } = await writePair(dir);
    const shape = { ...TINY, ropeBase: 5_000_000 };
    const { faults } = await verify(hf, megatron, { shape });
    deepStrictEqual(faults.map(({ kind }) => kind), ["config", "config"]);
    match(faults[0]!.what, /ropeBase 1000000, not 5000000/);
  });
});

Deno.test("verifyCheckpoints() inspects one checkpoint alone, and notes tensors that are zero or constant", async () => {
  await inTempDir(async (dir) => {
    const { hf, megatron } = await writePair(dir, {
      hf: (tensors) =>
        changed(
          changed(
            tensors,
            named("model.layers.0.mlp.up_proj.weight"),
            (bytes) => bytes.fill(0),
          ),
          (one) => one.shape.length === 1,
          (bytes) =>
            new Uint8Array(new Uint16Array(bytes.buffer).fill(0x3f80).buffer),
        ),
    });
    const { faults, notes, tensors } = await verify(hf);
    deepStrictEqual(faults, []);
    ok(tensors.every(({ status }) => status === "whole"));
    match(notes.join("\n"), /layers.0.mlp.up_proj.weight contains only zeros/);
    match(notes.join("\n"), /every norm contains only a single value/);
    deepStrictEqual((await verify(megatron)).faults, []);
  });
});

Deno.test("verifyCheckpoints() reports files that are missing, truncated or too long", async () => {
  await inTempDir(async (dir) => {
    const { hf, megatron, release } = await writePair(dir);
    await Deno.remove(join(hf, "model-00002.safetensors"));
    await Deno.truncate(join(release, "__0_1.distcp"), 5000);
    await Deno.writeFile(join(release, "__0_0.distcp"), new Uint8Array(9), {
      append: true,
    });
    await Deno.remove(join(release, "common.pt"));
    const { faults } = await verify(hf, megatron);
    const text = faults.map(({ what }) => what).join("\n");
    match(text, /model-00002.safetensors" is missing/);
    match(text, /__0_1.distcp" has only 5000 of \d+ bytes: it was truncated/);
    match(
      text,
      /__0_0.distcp" has \d+ bytes, but its last item ends at byte \d+/,
    );
    match(text, /common.pt" is missing/);
    ok(faults.some(({ kind }) => kind === "unreadable"));
  });
});

Deno.test("openCheckpoint() rejects an interrupted save, and says what is missing", async () => {
  await inTempDir(async (dir) => {
    const { megatron, release } = await writePair(dir);
    await Deno.remove(join(megatron, "latest_checkpointed_iteration.txt"));
    await rejects(
      verify(megatron),
      /contains "release" but no latest_checkpointed_iteration.txt/,
    );
    await Deno.remove(join(release, ".metadata"));
    await rejects(verify(megatron), /no .metadata, which is written last/);
    await rejects(verify(join(dir, "none")), /is not a checkpoint/);
  });
});

Deno.test("openCheckpoint() opens the iteration that the tracker names, or its directory", async () => {
  await inTempDir(async (dir) => {
    const { megatron, release, hf } = await writePair(dir);
    const iteration = join(megatron, "iter_0000019");
    await Deno.rename(release, iteration);
    await Deno.writeTextFile(
      join(megatron, "latest_checkpointed_iteration.txt"),
      "19\n",
    );
    deepStrictEqual((await verify(megatron, hf)).faults, []);
    deepStrictEqual((await verify(iteration, hf)).faults, []);
  });
});

Deno.test("verifyCheckpoints() rounds float32 as a conversion does, and says so", async () => {
  await inTempDir(async (dir) => {
    const { hf, megatron } = await writePair(dir);
    const wide = join(dir, "wide");
    using checkpoint = openCheckpoint(hf);
    const shape = checkpoint.shape!;
    await writeHf(wide, { shape, tensors: [] });
    await widen(hf, wide);
    const { faults, notes, tensors } = await verify(wide, megatron);
    deepStrictEqual(faults, []);
    ok(tensors.every(({ status }) => status === "rounded"));
    match(notes.join("\n"), /F32 and BF16.*equal values once rounded to BF16/);
  });
});

/**
 * Copies a checkpoint directory as float32, and changes each number by less than half a unit in the last place of
 * bfloat16.
 */
async function widen(from: string, to: string): Promise<void> {
  const index = "model.safetensors.index.json";
  for await (const { name } of Deno.readDir(from)) {
    const bytes = await Deno.readFile(join(from, name));
    await Deno.writeFile(join(to, name), bytes);
    if (!name.endsWith(".safetensors")) continue;
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const header = JSON.parse(
      new TextDecoder().decode(bytes.subarray(8, 8 + length)),
    );
    for (
      const tensor of Object.values(header) as {
        dtype?: string;
        data_offsets: number[];
      }[]
    ) {
      if (tensor.dtype === undefined) continue;
      tensor.dtype = "F32";
      tensor.data_offsets = tensor.data_offsets.map((at) => 2 * at);
    }
    const json = new TextEncoder().encode(JSON.stringify(header));
    const halves = new Uint16Array(bytes.slice(8 + length).buffer);
    const words = Uint32Array.from(
      halves,
      (half, i) => half << 16 | (half & 1 ? 0x7fff : 0x8000) - i % 2,
    );
    const prefix = new DataView(new ArrayBuffer(8));
    prefix.setBigUint64(0, BigInt(json.length), true);
    await Deno.writeFile(
      join(to, name),
      new Uint8Array(
        await new Blob([prefix.buffer, json, words.buffer]).arrayBuffer(),
      ),
    );
  }
  await Deno.copyFile(join(from, index), join(to, index));
}

Deno.test("verifyCheckpoints() stops when it is aborted", async () => {
  await inTempDir(async (dir) => {
    const { hf } = await writePair(dir);
    using checkpoint = openCheckpoint(hf);
    const { verifyCheckpoints } = await import(
      "../../../../train/slime/checkpoint/verify_checkpoint.ts"
    );
    await rejects(
      verifyCheckpoints(checkpoint, {
        shape: TINY,
        signal: AbortSignal.abort(),
      }),
      { name: "AbortError" },
    );
  });
});

Deno.test("areEqual() is false for tensors whose rows are too large to read", async () => {
  const tensor = {
    name: "lm_head.weight",
    shape: [1, 2 ** 25],
    segments: [{ source: { dtype: "F32" } }],
  } as unknown as ViewTensor;
  ok(!await areEqual({ left: tensor, right: tensor }));
});
