import assert from "node:assert/strict";
import { join } from "node:path";
import { sha256 } from "../../../env/state_hash.ts";
import {
  mockFiles,
  requireEmpty,
  requireUnchanged,
  writeFiles,
} from "../../../train/mock/mock_files.ts";
import { knobKeys, mockWorld } from "../../../train/mock/mock_world.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const options = { env: "retail", count: 10, seed: 3, set: [] } as const;
const world = await mockWorld(options);

function filesWithout(...tasks: readonly string[]) {
  return mockFiles(world, {
    out: "w",
    excluded: tasks.map((task) => ({ task, reason: "too easy" })),
    excludedWhy: "They are too easy",
    rowsOf: (split, tasks) => ({
      path: `${split}.txt`,
      text: tasks.map(({ id }) => id).join("\n"),
    }),
  });
}

Deno.test("mockWorld() uses a tenth of the tasks each for dev and test, and accepts a world's settings", async () => {
  assert.deepEqual(world.splits.map((split) => world.tasks(split).length), [
    8,
    1,
    1,
  ]);
  for (const { key } of knobKeys("retail")) assert.doesNotMatch(key, /Tasks$/);
  await assert.rejects(
    mockWorld({ ...options, set: ["refusedShar=0"] }),
    {
      name: "ConfigError",
      message: /unknown key "refusedShar"; did you mean "refusedShare"\?$/,
    },
  );
});

Deno.test("mockFiles() ends with a manifest of the other files, and omits excluded tasks", () => {
  const [task] = world.tasks("train");
  const files = filesWithout(task!.id);
  const byPath = new Map(files.map(({ path, text }) => [path, text]));
  const { path, text } = files.at(-1)!;
  assert.equal(path, "manifest.json");
  assert.deepEqual(
    JSON.parse(text).files,
    Object.fromEntries(
      files.slice(0, -1).map(({ path, text }) => [path, sha256([text])]),
    ),
  );
  assert.ok(!byPath.get("train.txt")?.split("\n").includes(task!.id));
  assert.match(byPath.get("recipe.yaml") ?? "", /exclude: w\/exclude.yaml/);
  assert.ok(!filesWithout().some(({ path }) => path === "exclude.yaml"));
});

Deno.test("writeFiles() writes what neither requireEmpty() nor requireUnchanged() rejects", () =>
  inTempDir(async (dir) => {
    const out = join(dir, "w");
    await requireEmpty(out);
    const files = [{ path: "a/b", text: "1" }];
    await writeFiles(out, files);
    assert.equal(await Deno.readTextFile(join(out, "a/b")), "1");
    await requireUnchanged(out, files);
    const other = [{ path: "a/b", text: "2" }];
    await assert.rejects(
      requireUnchanged(out, other),
      /already exists with different contents/,
    );
    await assert.rejects(requireEmpty(out), /is not empty/);
  }));
