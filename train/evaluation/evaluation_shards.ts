/**
 * An evaluation in several processes. Each has a shard: some of the missing episodes, in a run dir of its own below the
 * evaluation's, which takes it over once the process has ended, however it has.
 *
 *     runs/<name>/  config.yaml  run.json  episodes.db  shards/{0.json, 0/{config.yaml, run.json, episodes.db}, 1.json, …}
 *
 * A shard that is run again goes on where it stopped. An evaluation that is resumed takes over what there is of its
 * shards and divides what is missing anew, among any number of processes.
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
  /** Ends all processes; what has ended by then is kept. */
  readonly signal: AbortSignal;
  /** What the evaluation has used so far. */
  readonly used: Usage;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/**
 * Runs episodes in processes, each of which has every so-manieth of them, and takes over what they come to.
 * @returns Why processes stopped before their episodes had all ended, a clause each.
 * @throws {RunDirError} If a process fails; the others end first, and nothing of theirs is lost.
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
  await takeOverShards(dir);
  const failed = ends.findIndex(({ error }) => error !== null);
  if (failed < 0) return ends.flatMap(({ why }) => why ?? []);
  throw new RunDirError(
    `Process ${failed + 1} of ${ends.length} of "${dir.path}" failed: ${
      ends[failed]?.error
    }`,
    {
      hint:
        `no episode that ended is lost: fix that, then "deno task evaluate --resume ${dir.path}"`,
    },
  );
}

/** Takes over the episodes of all shards that there are, and removes them. */
export async function takeOverShards(dir: EvaluationDir): Promise<void> {
  const root = join(dir.path, SHARDS);
  for (const name of await folderNames(root)) {
    const path = join(root, name);
    const isBegun = await readTextIfThere(join(path, "run.json")) !== undefined;
    if (isBegun) dir.takeOver(path);
  }
  await removeIfThere(root);
}
