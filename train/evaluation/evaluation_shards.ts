/**
 * Evaluation in several processes. Each process runs a shard: some of the missing episodes, in a run dir below that of
 * the evaluation. When a process ends, even by a failure, its episodes are merged into the evaluation.
 *
 *     runs/<name>/  config.yaml  run.json  episodes.db  shards/{0.json, 0/{config.yaml, run.json, episodes.db}, 1.json, …}
 *
 * A resumed evaluation first merges the existing shards, then divides the missing episodes again, among any number of
 * processes.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import type { Usage } from "../../env/types.ts";
import {
  folderNames,
  readTextIfThere,
  removeIfThere,
} from "../runs/storage.ts";
import type { JobPlace } from "./evaluate.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";
import type { EvaluationDir } from "./evaluation_dir.ts";
import { shardOrders, type ShardProgress, writeOrder } from "./shard_order.ts";
import { runShard } from "./shard_process.ts";

const SHARDS = "shards";

/** Settings of {@linkcode runShards}. */
export interface ShardOptions {
  readonly dir: EvaluationDir;
  readonly config: EvaluationConfig;
  readonly workers: number;
  /** Aborting it ends all processes; completed episodes are kept. */
  readonly signal: AbortSignal;
  /** Usage of the evaluation so far. */
  readonly used: Usage;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/**
 * Deals the episodes round-robin to several processes, runs them, and merges the results.
 * @returns Reasons why processes stopped early, one clause each.
 * @throws {RunDirError} If a process fails. The others finish first, and their episodes are kept.
 */
export async function runShards(
  jobs: readonly JobPlace[],
  options: ShardOptions,
): Promise<string[]> {
  const { dir, signal, onProgress } = options;
  if (jobs.length === 0 || signal.aborted) return [];
  const root = join(dir.path, SHARDS);
  await Deno.mkdir(root, { recursive: true });
  const ends = await Promise.all(
    shardOrders(jobs, options).map(async (order, i) => {
      const path = join(root, String(i));
      await writeOrder(path, order);
      return await runShard(path, { signal, onProgress });
    }),
  );
  await mergeShards(dir);
  const failed = ends.findIndex(({ error }) => error !== null);
  if (failed < 0) return ends.flatMap(({ why }) => why ?? []);
  throw new RunDirError(
    `Process ${failed + 1} of ${ends.length} of "${dir.path}" failed: ${
      ends[failed]?.error
    }`,
    {
      hint:
        `completed episodes are kept; fix the cause, then run "deno task evaluate --resume ${dir.path}"`,
    },
  );
}

/** Merges the episodes of all existing shards into the evaluation and removes the shards. */
export async function mergeShards(dir: EvaluationDir): Promise<void> {
  const root = join(dir.path, SHARDS);
  for (const name of await folderNames(root)) {
    const path = join(root, name);
    const isBegun = await readTextIfThere(join(path, "run.json")) !== undefined;
    if (isBegun) dir.mergeFrom(path);
  }
  await removeIfThere(root);
}
