import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import {
  codeCells,
  readNotebook,
  readNotebooks,
} from "../../../notebooks/jupyter/notebook_file.ts";
import { inTempDir } from "../../support/temp_dir.ts";
import { writeNotebook } from "../../support/notebooks.ts";

Deno.test("readNotebooks() reads the named notebooks, or all in order", async () => {
  await inTempDir(async (dir) => {
    for (const name of ["b", "a"]) await writeNotebook(dir, name, ["1"]);
    await Deno.writeTextFile(join(dir, "c.txt"), "");
    const names = async (...wanted: string[]) =>
      (await readNotebooks(dir, wanted)).map(({ name }) => name);
    assert.deepEqual(await names(), ["a", "b"]);
    assert.deepEqual(await names("b", "a.ipynb"), ["b", "a"]);
    await assert.rejects(() => names("bb"), {
      name: "ConfigError",
      message: /no notebook "bb" in /,
      hint: 'did you mean "b"?',
    });
  });
});

Deno.test("codeCells() returns the code cells; sources may be lists of lines", async () => {
  await inTempDir(async (dir) => {
    await writeNotebook(dir, "a", ["const a = 1;\na", "a + 1"]);
    const { cells } = await readNotebook(join(dir, "a.ipynb"));
    assert.equal(cells.length, 3);
    assert.deepEqual(
      codeCells({ cells }).map(({ source }) => source),
      ["const a = 1;\na", "a + 1"],
    );
  });
});

Deno.test("readNotebook() reports what is wrong with a file", async () => {
  await inTempDir(async (dir) => {
    const path = join(dir, "x.ipynb");
    await assert.rejects(() => readNotebook(path), /There is no notebook/);
    for (const text of ["{", "{}", '{"nbformat": 3, "cells": []}']) {
      await Deno.writeTextFile(path, text);
      await assert.rejects(() => readNotebook(path), ConfigError);
    }
  });
});
