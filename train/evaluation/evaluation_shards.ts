/**
 * Runs an evaluation in several processes. Each process runs a shard: some of the missing episodes, in a run dir below
 * the evaluation's. When a process ends, even with a failure, its episodes are merged into the evaluation.
 *
 *     runs/<name>/  config.yaml  run.json  episodes.db  shards/{0.json, 0/{config.yaml, run.json, …}, 1.json, …}
 *
 * The run dir of a process on another host is on that host; `shards/0.away.json` records its location until the
 * episodes are fetched.
 *
 * A resumed evaluation first merges the existing shards, then divides the missing episodes again, among any number of
 * processes.
 */

import { join } from "node:path";
import { BoundaryError, RunDirError } from "../../env/errors.ts";
import type { Usage } from "../../env/types.ts";
import { entriesIn, removeIfThere } from "../runs/storage.ts";
import type { JobPlace } from "./evaluate.ts";
import type { EvaluationConfig } from "./evaluation_config.ts";
import type { EvaluationDir } from "./evaluation_dir.ts";
import { shardOrders, type ShardProgress } from "./shard_order.ts";
import { awayPath, PROCESSES, type ShardRunner } from "./shard_process.ts";

const SHARDS = "shards";

/** Options for {@linkcode runShards}. */
export interface ShardOptions {
  readonly dir: EvaluationDir;
  readonly config: EvaluationConfig;
  readonly workers: number;
  /** Aborting this signal ends all processes; completed episodes are kept. */
  readonly signal: AbortSignal;
  /** The usage of the evaluation so far. */
  readonly used: Usage;
  /** The runner of the processes. Default: processes on this machine. */
  readonly runner?: ShardRunner | undefined;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/**
 * Distributes the episodes round-robin among several processes, runs them, and merges the results.
 * @returns Reasons why processes stopped early, one clause each.
 * @throws {RunDirError} If a process fails. Before the error is thrown, the other processes finish, and their episodes
 * are kept.
 */
export async function runShards(
  jobs: readonly JobPlace[],
  options: ShardOptions,
): Promise<string[]> {
  const { dir, signal, onProgress, runner = PROCESSES } = options;
  if (jobs.length === 0 || signal.aborted) return [];
  const root = join(dir.path, SHARDS);
  await Deno.mkdir(root, { recursive: true });
  const { fingerprint } = dir.info.dataset;
  const ends = await Promise.all(
    shardOrders(jobs, { ...options, fingerprint }).map((order, i) =>
      runner.run(join(root, String(i)), order, { signal, onProgress })
    ),
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
        `fix the cause, then run the missing episodes with "deno task evaluate --resume ${dir.path}"`,
    },
  );
}

/**
 * Merges the episodes of earlier sessions' shards into the evaluation and removes the shards.
 * @param options.runner The runner that fetches episodes from other hosts. Default: processes on this machine; a shard
 * on another host is then an error.
 * @param options.discard Whether to drop a shard whose episodes cannot be fetched. These episodes then run again.
 * Default: `false`.
 * @throws {BoundaryError} If episodes cannot be fetched.
 */
export async function recoverShards(
  dir: EvaluationDir,
  { runner = PROCESSES, discard = false }: {
    readonly runner?: ShardRunner | undefined;
    readonly discard?: boolean;
  } = {},
): Promise<void> {
  for (const name of await shardNames(dir)) {
    const path = join(dir.path, SHARDS, name);
    try {
      await runner.recover(path);
    } catch (error) {
      if (!discard || !(error instanceof BoundaryError)) throw error;
      await removeIfThere(awayPath(path));
    }
  }
  await mergeShards(dir);
}

/** Merges the episodes of shards that are on this machine, and keeps the records of the other shards. */
async function mergeShards(dir: EvaluationDir): Promise<void> {
  const root = join(dir.path, SHARDS);
  let isKept = false;
  for (const name of await shardNames(dir)) {
    const path = join(root, name);
    if (await isThere(join(path, "episodes.db"))) dir.mergeFrom(path);
    if (await isThere(awayPath(path))) isKept = true;
    else await removeIfThere(path);
  }
  if (!isKept) await removeIfThere(root);
}

/** Returns the names of the shards, according to their order files, folders and records. */
async function shardNames({ path }: EvaluationDir): Promise<string[]> {
  const entries = await entriesIn(join(path, SHARDS));
  const names = entries.flatMap(({ name }) => /^\d+/.exec(name)?.[0] ?? []);
  return [...new Set(names)];
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
