import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../env/errors.ts";
import {
  formatExclusions,
  readExclusions,
  withoutTasks,
} from "../../../train/config/exclusions.ts";
import { action, smallDataset } from "../../support/retail_world.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const golds = [0, 1, 2].map(() => ({ actions: [action("think", "{}")] }));

Deno.test("withoutTasks() removes tasks, keeps the others' index, and changes the fingerprint", () => {
  const dataset = smallDataset(golds);
  const out = [{ task: "retail/test/1", reason: "wrong" }];
  const less = withoutTasks(dataset, out);
  assert.deepEqual(less.tasks("test").map(({ index }) => index), [0, 2]);
  assert.notEqual(less.fingerprint, dataset.fingerprint);
  assert.equal(
    less.fingerprint,
    withoutTasks(dataset, [...out, ...out]).fingerprint,
  );
  assert.equal(withoutTasks(dataset, []), dataset);
});

Deno.test("withoutTasks() rejects unknown tasks, and excluding all tasks of a split", () => {
  const dataset = smallDataset(golds);
  const unknown = [{ task: "retail/test/11", reason: "" }];
  assert.throws(() => withoutTasks(dataset, unknown), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(String(error), /did you mean "retail\/test\/1"\?/);
    return true;
  });
  const all = [0, 1, 2].map((i) => ({ task: `retail/test/${i}`, reason: "" }));
  assert.throws(() => withoutTasks(dataset, all), /All tasks of the split/);
});

Deno.test("readExclusions() reads what formatExclusions() wrote, and reports what is wrong", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "out.yaml");
    const list = [{ task: "retail/test/1", reason: 'breaks "x": y # z' }];
    await Deno.writeTextFile(path, formatExclusions(list, "Read\nthis"));
    assert.deepEqual(await readExclusions(path), list);
    await Deno.writeTextFile(path, "");
    assert.deepEqual(await readExclusions(path), []);
    for (const bad of ["- tsk: a", "a: b", "- [", "- task: 3"]) {
      await Deno.writeTextFile(path, bad);
      await assert.rejects(readExclusions(path), ConfigError);
    }
    await assert.rejects(
      readExclusions(join(dir, "none")),
      /audit --exclusions/,
    );
  }));
