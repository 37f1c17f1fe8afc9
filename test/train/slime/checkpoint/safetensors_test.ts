import { deepStrictEqual, throws } from "node:assert/strict";
import { join } from "node:path";
import { readSafetensors } from "../../../../train/slime/checkpoint/safetensors.ts";
import { openHfDirectory } from "../../../../train/slime/checkpoint/hf_dir.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { TINY } from "../../../support/checkpoints.ts";
import {
  configOf,
  writeSafetensors,
} from "../../../../train/slime/checkpoint/synthetic_checkpoint.ts";

function fileOf(header: unknown, data: number, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + data);
  new DataView(bytes.buffer).setBigUint64(
    0,
    length ?? BigInt(json.length),
    true,
  );
  bytes.set(json, 8);
  return bytes;
}

async function read(bytes: Uint8Array) {
  let result: ReturnType<typeof readSafetensors> | undefined;
  await inTempDir((dir) => {
    const path = join(dir, "model.safetensors");
    Deno.writeFileSync(path, bytes);
    result = readSafetensors(path);
    return Promise.resolve();
  });
  return result!;
}

const good = {
  __metadata__: { format: "pt" },
  b: { dtype: "F32", shape: [2], data_offsets: [12, 20] },
  a: { dtype: "BF16", shape: [2, 3], data_offsets: [0, 12] },
  none: { dtype: "I64", shape: [0, 5], data_offsets: [20, 20] },
};

Deno.test("readSafetensors() reads each tensor's type, shape and place", async () => {
  const { tensors, metadata } = await read(fileOf(good, 20));
  deepStrictEqual(metadata, { format: "pt" });
  deepStrictEqual([...tensors.keys()], ["a", "b", "none"]);
  const { dtype, shape, chunks } = tensors.get("b")!;
  deepStrictEqual([dtype, shape], ["F32", [2]]);
  deepStrictEqual(chunks[0]!.locate().offset, fileOf(good, 20).length - 8);
});

Deno.test("readSafetensors() rejects an invalid file with the reason", async () => {
  const tensor = (change: object) =>
    fileOf({
      a: { dtype: "BF16", shape: [2, 3], data_offsets: [0, 12], ...change },
    }, 12);
  for (
    const [bytes, words] of [
      [new Uint8Array(3), /too small for a header/],
      [fileOf(good, 20, 2n ** 63n), /its header should have/],
      [fileOf(good, 20, 5000n), /its header should have/],
      [fileOf("{", 0), /is not JSON/],
      [fileOf("[]", 0), /not a JSON object/],
      [fileOf(good, 19), /truncated: its tensors end at byte 20 of the data/],
      [fileOf(good, 21), /the data ends at byte 21/],
      [tensor({ dtype: "Q4" }), /unknown type "Q4"/],
      [
        tensor({ shape: [2, 4] }),
        /has 12 B, but its type BF16 and shape \[2, 4\]/,
      ],
      [tensor({ shape: [-2, -3] }), /invalid shape/],
      [tensor({ shape: [2 ** 40, 2 ** 40] }), /invalid shape/],
      [tensor({ shape: [1.5] }), /invalid shape/],
      [tensor({ data_offsets: [4, 16] }), /starts at byte 4/],
      [tensor({ data_offsets: [0] }), /no valid data_offsets/],
      [
        tensor({ data_offsets: [12, 0] }),
        /ends at byte 0, before its start at byte 12/,
      ],
      [fileOf({ a: 3 }, 0), /is not an object/],
      [
        fileOf({ __metadata__: { a: 1 } }, 0),
        /__metadata__ is not a map of strings/,
      ],
      [
        fileOf({
          a: { dtype: "U8", shape: [4], data_offsets: [0, 4] },
          b: { dtype: "U8", shape: [4], data_offsets: [2, 6] },
        }, 6),
        /starts at byte 2 .* ends at byte 4/,
      ],
    ] as const
  ) {
    await inTempDir((dir) => {
      const path = join(dir, "model.safetensors");
      Deno.writeFileSync(path, bytes);
      throws(
        () => readSafetensors(path),
        (error: Error) =>
          error.name === "DataError" && words.test(error.message) &&
          error.message.includes(path),
        String(words),
      );
      return Promise.resolve();
    });
  }
});

const tensor = { name: "a", shape: [2], bytes: new Uint8Array(4) };

async function inModel(body: (dir: string) => Promise<void>): Promise<void> {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(
      join(dir, "config.json"),
      JSON.stringify(configOf(TINY)),
    );
    await body(dir);
  });
}

Deno.test("openHfDirectory() reads one file without an index", async () => {
  await inModel(async (dir) => {
    throws(() => openHfDirectory(dir), /no \*.safetensors/);
    await writeSafetensors(join(dir, "model.safetensors"), [tensor]);
    deepStrictEqual([...openHfDirectory(dir).tensors.keys()], ["a"]);
  });
});

Deno.test("openHfDirectory() checks an index and its shards against each other", async () => {
  await inModel(async (dir) => {
    const index = join(dir, "model.safetensors.index.json");
    const write = (map: unknown) =>
      Deno.writeTextFile(index, JSON.stringify({ weight_map: map }));
    const shard = "model-00001-of-00002.safetensors";
    await writeSafetensors(join(dir, shard), [tensor]);
    throws(
      () => openHfDirectory(dir),
      /only 1 of 2 shards, and no model.safetensors.index.json/,
    );
    await write({ a: shard, b: "model-00002-of-00002.safetensors" });
    deepStrictEqual(
      openHfDirectory(dir).faults.map((fault) =>
        /00002.safetensors" is missing/.test(fault)
      ),
      [true],
    );
    await write({ a: shard, b: shard });
    deepStrictEqual(
      openHfDirectory(dir).faults.map((fault) =>
        /lacks the tensor "b", although/.test(fault)
      ),
      [true],
    );
    for (
      const map of [
        { a: "../x.safetensors" },
        { a: "/etc/passwd" },
        { a: 3 },
        null,
      ]
    ) {
      await write(map);
      throws(() => openHfDirectory(dir), { name: "DataError" });
    }
    await Deno.writeTextFile(index, "{");
    throws(() => openHfDirectory(dir), /is not JSON/);
  });
});
