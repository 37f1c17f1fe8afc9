/** Provides runs that taulab 0.1.0 (commit d2f64c1) recorded, before folders, columns and phases were renamed. */

import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const RUNS = fileURLToPath(new URL("runs/", import.meta.url));

/**
 * The name of a recorded run: a training run that was stopped after step 154 of 156, or an evaluation of the expert
 * with a result file in τ-bench's format.
 */
export type OldRun = "old_training" | "old_evaluation";

/**
 * Copies a recorded run into a directory and decompresses its `.gz` files.
 * @returns The path of the copy.
 */
export async function unpackOldRun(run: OldRun, dir: string): Promise<string> {
  const from = join(RUNS, run);
  for await (const file of filesUnder(from)) {
    const to = join(dir, run, relative(from, file));
    await Deno.mkdir(dirname(to), { recursive: true });
    const bytes = await Deno.readFile(file);
    if (file.endsWith(".gz")) {
      await Deno.writeFile(to.slice(0, -".gz".length), gunzipSync(bytes));
    } else await Deno.writeFile(to, bytes);
  }
  return join(dir, run);
}

/** Returns the lines of metrics that the training run would have had after step 154 if it had not been stopped. */
export async function linesAfterStop(): Promise<Record<string, unknown>[]> {
  const text = await Deno.readTextFile(join(RUNS, "old_training_after.jsonl"));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

async function* filesUnder(dir: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(dir)) {
    const path = join(dir, name);
    if (isDirectory) yield* filesUnder(path);
    else yield path;
  }
}
