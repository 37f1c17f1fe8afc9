/** Compares output that people read with golden files, which `deno task test:update` updates. */

import assert from "node:assert/strict";

/**
 * Compares `text` with the file `name` in `test/golden/`, or writes the file if `UPDATE_GOLDEN` is set.
 * @throws {AssertionError} If the text and the file differ.
 */
export async function assertGolden(name: string, text: string): Promise<void> {
  const url = new URL(`../golden/${name}`, import.meta.url);
  if (Deno.env.get("UPDATE_GOLDEN")) {
    await Deno.mkdir(new URL(".", url), { recursive: true });
    await Deno.writeTextFile(url, text);
    return;
  }
  const recorded = await Deno.readTextFile(url);
  assert.equal(
    text,
    recorded,
    `"test/golden/${name}" differs; if it should, run deno task test:update`,
  );
}
