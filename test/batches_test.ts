import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import project from "../deno.json" with { type: "json" };
import { type Batch, BATCHES, batchFiles } from "./support/batches.ts";

const NAMES = Object.keys(BATCHES) as Batch[];

Deno.test("each test file is in exactly one batch, and no batch is empty", async () => {
  const files = await readdir(new URL(".", import.meta.url), {
    recursive: true,
  });
  const batches = await Array.fromAsync(NAMES.map(batchFiles));
  assert.ok(batches.every((batch) => batch.length > 0));
  assert.deepEqual(
    batches.flat().sort(),
    files.filter((file) => /_test\.ts$/.test(file)).sort(),
  );
});

Deno.test("deno test runs each batch, and the examples of all folders", async () => {
  assert.deepEqual(project.test.include, [
    ...NAMES.map((name) => `test/batches/${name}.ts`),
    ...["env/", "train/", "notebooks/", "tasks/", "mod.ts"],
  ]);
  for (const name of NAMES) {
    const file = new URL(`batches/${name}.ts`, import.meta.url);
    assert.match(await readFile(file, "utf8"), RegExp(`\\("${name}"\\)`));
  }
});
