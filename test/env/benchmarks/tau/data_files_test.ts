import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { checkoutRoot } from "../../../../env/benchmarks/tau/data_files.ts";
import { writeImport } from "../../../../env/benchmarks/tau/import/import_dir.ts";
import { importTauBench } from "../../../../env/benchmarks/tau/import/import_tau_bench.ts";
import {
  domainsIn,
  loadTauBench,
  loadTauBenchTasks,
  toolNamesIn,
} from "../../../../env/benchmarks/tau/tau_bench.ts";
import { DataError } from "../../../../env/errors.ts";
import { generated } from "../../../../env/generated/generated.ts";
import { worldFiles } from "../../../../env/generated/world_files.ts";
import { readTextIfThere } from "../../../../train/runs/storage.ts";
import { checkoutFiles } from "../../../support/tau_checkout.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

/**
 * Writes a checkout whose retail domain has the tables of a generated world. `changes` contains the texts of files to
 * add or replace, keyed by path.
 */
async function writeCheckout(
  root: string,
  changes: ReadonlyMap<string, string> = new Map(),
): Promise<void> {
  const world = worldFiles(
    await generated(1, { trainTasks: 1, devTasks: 1, testTasks: 1 }),
  );
  const tables = world.filter(({ path }) =>
    /\/(orders|products|users)\.json$/.test(path)
  ).map(({ path, text }) =>
    [`tau_bench/envs/${path.replace("/", "/data/")}`, text] as const
  );
  const files = new Map([...checkoutFiles(), ...tables, ...changes]);
  for (const [path, text] of files) {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeTextFile(join(root, path), text);
  }
}

Deno.test("loadTauBench() reads a checkout like its import, from its root, package or envs", () =>
  inTempDir(async (dir) => {
    const root = join(dir, "checkout");
    await writeCheckout(root);
    const out = join(dir, "data");
    await writeImport(
      out,
      await importTauBench({ root, read: readTextIfThere }),
    );
    const imported = await loadTauBench(out, "retail");
    assert.equal(await checkoutRoot(out), undefined);
    for (
      const given of [
        root,
        `${root}/`,
        join(root, "tau_bench"),
        join(root, "tau_bench", "envs"),
      ]
    ) {
      const dataset = await loadTauBench(given, "retail");
      assert.equal(dataset.fingerprint, imported.fingerprint, given);
      assert.deepEqual(dataset.tasks("test"), imported.tasks("test"));
      assert.deepEqual(dataset.prompts(), imported.prompts());
      assert.deepEqual(await domainsIn(given), ["retail", "airline"]);
      assert.deepEqual([...await toolNamesIn(given, "retail")], [
        "pay",
        "hand_over",
      ]);
      const tasks = await loadTauBenchTasks(given, "retail");
      assert.deepEqual([...tasks.keys()], ["dev", "test"]);
    }
  }));

Deno.test("loadTauBench() names file and line, with a hint, if a checkout cannot be imported", () =>
  inTempDir(async (dir) => {
    const root = join(dir, "checkout");
    const tasks = "tau_bench/envs/retail/tasks_test.py";
    await writeCheckout(
      root,
      new Map([[tasks, "TASKS = [make() for _ in range(3)]\n"]]),
    );
    await assert.rejects(
      loadTauBench(root, "retail"),
      (error) =>
        error instanceof DataError &&
        /Cannot import the checkout ".*tasks_test\.py.*1/.test(error.message) &&
        error.hint?.includes("unmodified tau-bench checkout") === true,
    );
    // A failed import is not cached.
    await Deno.writeTextFile(join(root, tasks), checkoutFiles().get(tasks)!);
    assert.equal((await loadTauBench(root, "retail")).tasks("test").length, 2);
  }));
