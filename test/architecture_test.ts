import assert from "node:assert/strict";
import { join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The folders, lowest first: each may import from itself and from those before it. */
const LAYERS = ["env", "train", "notebooks", "tasks", "test"];

/** What code imports by a path; examples in comments are not code. */
const IMPORTS =
  /^(?:import|export)\b[^;]*?\bfrom "(\.[^"]+)"|^import "(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/gm;

Deno.test("imports go one way: env, train, notebooks, tasks, test", async () => {
  const upward: string[] = [];
  for (const [level, layer] of LAYERS.entries()) {
    for await (const file of sources(join(ROOT, layer))) {
      const text = await Deno.readTextFile(file);
      for (const [, ...paths] of text.matchAll(IMPORTS)) {
        const path = paths.find((one) => one !== undefined)!;
        const target = relative(ROOT, resolve(file, "..", path));
        const [folder = ""] = target.split("/");
        if (LAYERS.indexOf(folder) > level) {
          upward.push(`${relative(ROOT, file)} imports ${target}`);
        }
      }
    }
  }
  assert.deepEqual(upward, []);
});

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* sources(path);
    else if (/\.(ts|js)$/.test(name)) yield path;
  }
}
