import assert from "node:assert/strict";
import { join } from "node:path";
import { DataError } from "../../../env/errors.ts";
import { readModelFile } from "../../../env/tokens/model_dir.ts";
import { parseConfigFile } from "../../../train/slime/shapes/words_of_config.ts";
import { inTempDir } from "../../support/temp_dir.ts";

Deno.test("readModelFile() parses a config like Python, and tokenizer.json like its library", () =>
  inTempDir(async (dir) => {
    const cases: [text: string, config: unknown, tokenizer: boolean][] = [
      ['{"a": [0.0, Infinity]}', { a: [0, Infinity] }, false],
      ['{"a": -Infinity}', { a: -Infinity }, false],
      ['{"a": NaN}', { a: NaN }, false],
      ['{"a": 1, "a": 2}', { a: 2 }, true],
      ['{"a": "\\ud83d\\ude00"}', { a: "😀" }, true],
      ['{"a": "\\ud83d"}', { a: "\ud83d" }, false],
      ['{"a": 1}\r\n', { a: 1 }, true],
      ['{"a": 1,}', undefined, false],
      ["{'a': 1}", undefined, false],
      ['{"a": -NaN}', undefined, false],
      ["", undefined, false],
    ];
    for (const [text, config, isTokenizer] of cases) {
      for (const name of ["config.json", "tokenizer.json"]) {
        await Deno.writeTextFile(join(dir, name), text);
      }
      const read = (name: string) =>
        readModelFile(dir, name).catch((error) => {
          assert.ok(error instanceof DataError);
          return undefined;
        });
      assert.deepEqual(await read("config.json"), config, text);
      assert.equal(
        await read("tokenizer.json") !== undefined,
        isTokenizer,
        text,
      );
    }
  }));

Deno.test("parseConfigFile() accepts a model config with an infinite limit", () => {
  const text = '{"model_type": "x", "time_step_limit": [0.0, Infinity]}';
  assert.deepEqual(parseConfigFile(text, "config.json").time_step_limit, [
    0,
    Infinity,
  ]);
});
