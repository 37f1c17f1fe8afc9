import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  checkNotebooks,
  moduleOf,
} from "../../../notebooks/jupyter/check_cells.ts";
import { readNotebooks } from "../../../notebooks/jupyter/notebook_file.ts";
import { writeNotebook } from "../../support/notebooks.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const config = fileURLToPath(new URL("../../../deno.json", import.meta.url));

Deno.test("checkNotebooks() reports errors with notebook, cell and line", async () => {
  await inTempDir(async (dir) => {
    await Deno.writeTextFile(join(dir, "lib.ts"), "export const x = 1;\n");
    await writeNotebook(dir, "right", [
      'import { x } from "./lib.ts";\nawait Promise.resolve(x);',
      "const y: number = x;",
    ]);
    await writeNotebook(dir, "wrong", [
      'import { x } from "./lib.ts";',
      "\nconst y: string = x;",
    ]);
    await writeNotebook(dir, "twice", ["const a = 1;", "const a = 2;"]);
    const { text, failed } = await checkNotebooks(await readNotebooks(dir), {
      config,
    });
    assert.deepEqual([...failed].sort(), ["twice", "wrong"]);
    assert.match(text, /'number' is not assignable to type 'string'/);
    assert.match(text, /at wrong, cell 3, line 2:7/);
    assert.match(text, /at twice, cell 3, line 1:7/);
  });
});

Deno.test("moduleOf() resolves every form of relative import against the notebook", async () => {
  await inTempDir(async (dir) => {
    await writeNotebook(dir, "a", [
      'import { b } from "./b.ts";\nimport "../c.ts";\nawait import("./d.ts");',
      'import e from "npm:e";\nconst f = "./g.ts";',
    ]);
    const [notebook] = await readNotebooks(dir);
    const { code, places } = moduleOf(notebook!);
    const lines = code.split("\n");
    assert.match(lines[0]!, /^import \{ b \} from "file:\/\/\/.*\/b\.ts";$/);
    assert.match(lines[1]!, /^import "file:\/\/\/.*\/c\.ts";$/);
    assert.match(lines[2]!, /^await import\("file:\/\/\/.*\/d\.ts"\);$/);
    assert.deepEqual(lines.slice(3, 5), [
      'import e from "npm:e";',
      'const f = "./g.ts";',
    ]);
    assert.deepEqual(places.at(-1), { cell: 3, line: 2 });
  });
});
