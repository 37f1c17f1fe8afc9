import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import {
  listModel,
  readHeaders,
} from "../../../../train/slime/doctor/host_shards.ts";
import {
  parseIndex,
  parseShardHeader,
} from "../../../../train/slime/doctor/shards.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { writeShard } from "../../../support/doctor.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

Deno.test("readHeaders() reads the size, the names and the parameters of any tensor file", () =>
  inTempDir(async (dir) => {
    const shapes = fc.array(
      fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 3 }),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(shapes, async (list) => {
        const tensors = Object.fromEntries(
          list.map((shape, i) => [`it's.${i} "€"`, shape]),
        );
        const path = join(dir, "a b.safetensors");
        await writeShard(path, tensors);
        const { shards } = (await listModel(localShell(), dir))!;
        const [shard] = [...shards.values()];
        const headers = await readHeaders(localShell(), {
          dir,
          shards: [shard!],
        });
        const header = headers.get("a b.safetensors");
        assert.equal(header?.size, (await Deno.stat(path)).size);
        assert.equal(header.size, shard?.size);
        assert.deepEqual(header.tensors, Object.keys(tensors));
        assert.equal(
          header.parameters,
          list.reduce(
            (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
            0,
          ),
        );
      }),
      { numRuns: 12 },
    );
  }));

Deno.test("parseShardHeader() and parseIndex() return null for invalid texts", () => {
  const no = ["", "nonsense", "[]", "3", '{"a": {"data_offsets": [1]}}'];
  for (const text of no) {
    assert.equal(parseShardHeader(text, text.length), null);
  }
  assert.equal(parseIndex("{}"), null);
  assert.equal(parseIndex('{"weight_map": {"a": 3}}'), null);
  assert.deepEqual(
    parseIndex('{"weight_map": {"a": "1", "b": "2", "c": "1"}}'),
    new Map([["1", ["a", "c"]], ["2", ["b"]]]),
  );
});

Deno.test("parseShardHeader() ignores the header's metadata", () => {
  const text = JSON.stringify({
    __metadata__: { format: "pt" },
    w: { dtype: "BF16", shape: [2, 3], data_offsets: [0, 12] },
  });
  assert.deepEqual(parseShardHeader(text, 100), {
    tensors: ["w"],
    parameters: 6,
    size: 120,
  });
});
