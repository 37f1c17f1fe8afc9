import assert from "node:assert/strict";
import { join } from "node:path";
import { DataError } from "../../../../env/errors.ts";
import { openHfDirectory } from "../../../../train/slime/checkpoint/hf_dir.ts";
import { jsonExcess } from "../../../../train/slime/checkpoint/json_excess.ts";
import { readSafetensors } from "../../../../train/slime/checkpoint/safetensors.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

function excess(text: string): string | undefined {
  return jsonExcess(new TextEncoder().encode(text));
}

function nested(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}

Deno.test("jsonExcess() finds too much nesting and too many values, outside of strings", () => {
  assert.equal(excess(nested(100)), undefined);
  assert.equal(excess(nested(101)), "nests deeper than 100 levels");
  assert.equal(excess(`{"a": "${"[".repeat(1000)}\\\\"}`), undefined);
  assert.equal(excess(`{"\\"": "\\"${"{".repeat(1000)}"}`), undefined);
  assert.equal(
    excess(`["\\\\", ${nested(200)}]`),
    "nests deeper than 100 levels",
  );
  assert.equal(excess(`[${"1,".repeat(1_000_000)}1]`), undefined);
  const many = `[${"[],".repeat(9_000_000)}1]`;
  assert.equal(excess(many), "has more values than any model needs");
});

/** Writes a safetensors file with the given header and no data. */
async function writeSafetensors(path: string, header: string): Promise<void> {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  await Deno.writeFile(path, bytes);
}

Deno.test("readSafetensors() and openHfDirectory() reject hostile headers and indexes with a DataError", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "model.safetensors");
    const deep = nested(200_000);
    for (
      const header of [
        deep,
        `{"a": ${deep}}`,
        `{"a": {"dtype": ${deep}, "shape": [1], "data_offsets": [0, 2]}}`,
        `{"a": {"dtype": "BF16", "shape": ${deep}, "data_offsets": [0, 2]}}`,
        `{"__metadata__": ${deep}}`,
        `{"a": {"dtype": "${"x".repeat(1_000_000)}", "shape": []}}`,
      ]
    ) {
      await writeSafetensors(path, header);
      assert.throws(() => readSafetensors(path), (error: Error) => {
        assert.ok(error instanceof DataError, error.stack);
        assert.ok(error.message.length < 500, error.message.slice(0, 100));
        return true;
      });
    }
    await Deno.writeTextFile(join(dir, "config.json"), "{}");
    const index = join(dir, "model.safetensors.index.json");
    for (const file of [deep, `"${"x".repeat(1_000_000)}"`, `{"a": ${deep}}`]) {
      await Deno.writeTextFile(index, `{"weight_map": {"a": ${file}}}`);
      assert.throws(() => openHfDirectory(dir), (error: Error) => {
        assert.ok(error instanceof DataError, error.stack);
        assert.ok(error.message.length < 500, error.message.slice(0, 100));
        return true;
      });
    }
  }));
