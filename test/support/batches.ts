/**
 * Groups the test files into batches for runs of the whole suite.
 *
 * With one worker per file, 300 workers spend more time loading modules and collecting coverage than running tests.
 * Instead, `deno.json` runs the batches in `test/batches/`, the slowest first, with one worker each. A single file can
 * still be run alone: `deno test -A test/env/rollout_test.ts`.
 */

import { readdir } from "node:fs/promises";

const TESTS = new URL("../", import.meta.url);

/** The path prefixes of each batch. If several prefixes match a file, the longest prefix applies. */
export const BATCHES = {
  launch: ["train/slime/launch/launch_test.ts"],
  training: ["tasks/train", "tasks/evaluate", "tasks/mock", "tasks/telecom"],
  containers: ["train/slime/launch/container_run_test.ts"],
  jupyter: ["notebooks/notebooks_test.ts", "notebooks/jupyter/"],
  tasks: ["tasks/"],
  viewer: ["notebooks/"],
  hosts: [
    "train/slime/doctor/",
    "train/slime/hosts/",
    "train/slime/launch/",
    "train/slime/setup/",
  ],
  slime: ["train/slime/"],
  train: ["train/"],
  worlds: ["env/benchmarks/", "env/domains/", "env/generated/"],
  env: ["env/"],
  project: [""],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** The name of a batch. */
export type Batch = keyof typeof BATCHES;

/** Returns the test files of a batch, sorted, as paths relative to `test/`. */
export async function batchFiles(batch: Batch): Promise<string[]> {
  const files = await readdir(TESTS, { recursive: true });
  return files.map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith("_test.ts") && batchOf(file) === batch)
    .sort();
}

function batchOf(file: string): string | undefined {
  return Object.entries<readonly string[]>(BATCHES)
    .flatMap(([batch, starts]) => starts.map((start) => ({ batch, start })))
    .filter(({ start }) => file.startsWith(start))
    .toSorted((a, b) => b.start.length - a.start.length)[0]?.batch;
}

/** Registers the tests of a batch. */
export async function importBatch(batch: Batch): Promise<void> {
  // Otherwise, programs started by tests would each write the coverage of some 500 modules.
  Deno.env.delete("DENO_COVERAGE_DIR");
  for (const file of await batchFiles(batch)) {
    await import(new URL(file, TESTS).href);
  }
}
