import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const ROOT = new URL("../", import.meta.url);

/** Lists the TypeScript modules below a directory. */
async function* modules(dir: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    if (isDirectory) yield* modules(new URL(`${name}/`, dir));
    else if (name.endsWith(".ts")) yield new URL(name, dir);
  }
}

/**
 * Returns the code blocks in a module's doc comments that `deno test --doc` runs, including the asterisk at the start
 * of each line.
 */
function examplesOf(text: string): string[] {
  return [...text.matchAll(/^ \* ```ts\n.*?^ \* ```$/gms)].map(([code]) =>
    code
  );
}

Deno.test("examples in the documentation can fail: none uses console.assert, which only prints", async () => {
  const weak: string[] = [];
  let count = 0;
  for (const folder of ["env", "train", "notebooks", "tasks"]) {
    for await (const file of modules(new URL(`${folder}/`, ROOT))) {
      for (const example of examplesOf(await Deno.readTextFile(file))) {
        count++;
        if (example.includes("console.assert")) weak.push(fileURLToPath(file));
      }
    }
  }
  assert.deepEqual(weak, []);
  assert.ok(count >= 15, `only ${count} examples were found`);
});
