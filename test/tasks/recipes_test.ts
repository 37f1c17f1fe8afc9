import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../env/errors.ts";
import { readRecipe } from "../../tasks/_recipes.ts";
import {
  makeConfig,
  parseSet,
  resolveConfig,
} from "../../train/config/config.ts";
import { isSlimeRecipe, resolveSlime } from "../../train/slime/slime_config.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { runTask } from "../support/task_process.ts";

/**
 * Writes recipe files.
 * @returns The path of the first recipe.
 */
async function write(
  dir: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(join(dir, name, ".."), { recursive: true });
    await Deno.writeTextFile(join(dir, name), text);
  }
  return join(dir, Object.keys(files)[0]!);
}

Deno.test("readRecipe() makes a file extend the default recipe for its data", () =>
  inTempDir(async (dir) => {
    const cases = {
      "rl: { steps: 3 }": "default",
      "data: { domain: telecom }\nrl: { steps: 3 }": "telecom",
      "data: { source: tau-bench }\nrl: { steps: 3 }": "tau-retail",
      "data: { source: tau-bench, domain: airline }\nrl: { steps: 3 }":
        "tau-airline",
      "data: { source: tau3-bench }\nrl: { steps: 3 }": "tau3-bench",
    };
    for (const [text, parent] of Object.entries(cases)) {
      const path = await write(dir, { "my.yaml": text });
      assert.deepEqual(
        resolveConfig(await readRecipe(path)),
        resolveConfig(await readRecipe(parent), [parseSet("rl.steps=3")]),
      );
    }
    const slime = await write(dir, { "my.yaml": "trainer: slime" });
    assert.deepEqual(
      resolveSlime(await readRecipe(slime)).config,
      resolveSlime({ name: "", text: "trainer: slime" }).config,
    );
  }));

Deno.test("readRecipe() follows extends: a name, a file in the same directory, null", () =>
  inTempDir(async (dir) => {
    const path = await write(dir, {
      "my.yaml": "extends: base/b.yaml\nmodel: { vocab: 1024 }\n",
      "base/b.yaml":
        "extends: retail-all\nmodel: { vocab: 512, layers: 3 }\nseed: 4\n",
      "none.yaml": "extends: null\nmodel: { layers: 3 }\n",
      "gpu.yaml": "extends: qwen3-8b\n",
    });
    const config = resolveConfig(await readRecipe(path));
    assert.deepEqual(
      [config.model.vocab, config.model.layers, config.seed],
      [1024, 3, 4],
    );
    assert.equal(
      config.coldStart.steps,
      resolveConfig(await readRecipe("retail-all")).coldStart.steps,
    );
    assert.deepEqual(
      resolveConfig(await readRecipe(join(dir, "none.yaml"))),
      makeConfig({ model: { layers: 3 } }),
    );
    assert.equal(isSlimeRecipe(await readRecipe(join(dir, "gpu.yaml"))), true);
  }));

Deno.test("readRecipe() reports where a cycle, a missing recipe or a wrong value is", () =>
  inTempDir(async (dir) => {
    const path = await write(dir, {
      "a.yaml": "extends: b.yaml\n",
      "b.yaml": "extends: a.yaml\n",
      "c.yaml": "extends: nope\n",
      "d.yaml": "seed: 1\nextends: [default]\n",
      "e.yaml": "extends: f.yaml\nseed: 2\n",
      "f.yaml": "seed: 1\nrl:\n  stepz: 3\n",
      "g.yaml": "extends: g.yaml\n",
    });
    const refused = async (name: string, message: RegExp) => {
      await assert.rejects(
        async () => resolveConfig(await readRecipe(join(dir, name))),
        (error: Error) => {
          assert.ok(error instanceof ConfigError, String(error));
          assert.match(error.message, message);
          return true;
        },
      );
    };
    assert.equal(path, join(dir, "a.yaml"));
    await refused("a.yaml", /a\.yaml extends .*b\.yaml extends .*a\.yaml$/);
    await refused("g.yaml", /^The recipe ".*g\.yaml" extends itself$/);
    await refused("c.yaml", /no recipe "nope", which ".*c\.yaml" extends/);
    await refused(
      "d.yaml",
      /d\.yaml:2: extends must be the name .* but it is \["default"\]/,
    );
    await refused("e.yaml", /f\.yaml:3: unknown key "rl\.stepz"/);
  }));

Deno.test("train --print-config and --help show the values that a run would have", () =>
  inTempDir(async (dir) => {
    const path = await write(dir, { "my.yaml": "rl: { steps: 3 }" });
    const args = ["--recipe", path, "--set", "model.vocab=1024"];
    const printed = await runTask("train", [...args, "--print-config"]);
    assert.equal(printed.code, 0, printed.stderr);
    const config = resolveConfig({ name: "printed", text: printed.stdout });
    assert.deepEqual(
      { ...config, threads: 0 },
      resolveConfig(await readRecipe(path), [parseSet("model.vocab=1024")]),
    );
    const { stdout } = await runTask("train", [...args, "--help"]);
    assert.match(stdout, /with their values in .*my\.yaml:/);
    assert.match(stdout, /^ +rl\.steps=3 /m);
    assert.match(stdout, /^ +model\.vocab=1024 /m);
    assert.match(stdout, /^ +coldStart\.demonstrations=\d+ /m);
    const wrong = await runTask("train", ["--recipe", "nope", "--help"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /^error: There is no recipe "nope"/m);
  }));
