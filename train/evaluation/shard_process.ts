/** Runs shards in processes, on this machine or on other hosts. */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { endOf, linesOf } from "../../env/child_process.ts";
import { ConfigError } from "../../env/errors.ts";
import { readTextIfThere } from "../runs/storage.ts";
import {
  type ShardEnd,
  ShardLines,
  type ShardOrder,
  type ShardProgress,
  writeOrder,
} from "./shard_order.ts";

/** Options for {@linkcode ShardRunner.run}. */
export interface RunShardOptions {
  /** Aborting this signal asks the process to save completed episodes and exit. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/** A runner of shard processes, on this machine or on other hosts. */
export interface ShardRunner {
  /** Runs a shard and leaves its episodes in the run dir at `path`. Errors of its process are returned, not thrown. */
  run(
    path: string,
    order: ShardOrder,
    options: RunShardOptions,
  ): Promise<ShardEnd>;
  /**
   * Ends the shard at `path` if an earlier session left it running, and leaves its episodes in the run dir at `path`.
   * @throws {BoundaryError} If the episodes cannot be fetched.
   */
  recover(path: string): Promise<void>;
}

/** Returns the path of the record of a shard whose episodes are not on this machine yet. */
export function awayPath(path: string): string {
  return `${path}.away.json`;
}

/** The runner that starts a process on this machine for each shard. Each process ends when the current process does. */
export const PROCESSES: ShardRunner = {
  run: runProcess,
  async recover(path) {
    if (await readTextIfThere(awayPath(path)) === undefined) return;
    throw new ConfigError(
      `Some episodes of the evaluation are still on another host, which is recorded in "${
        awayPath(path)
      }"`,
      {
        hint:
          "pass --ray with that host to fetch them, or --discard to run them again",
      },
    );
  },
};

async function runProcess(
  path: string,
  order: ShardOrder,
  { signal, onProgress }: RunShardOptions,
): Promise<ShardEnd> {
  await writeOrder(path, order);
  const child = new Deno.Command(denoProgram(), {
    args: workerArguments(path),
    // It stays open as long as this process runs; the child exits when it closes.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const lines = new ShardLines(onProgress);
  let words = "";
  const reading = Promise.all([
    (async () => {
      for await (const line of linesOf(child.stdout)) lines.take(line);
    })(),
    (async () => {
      for await (const line of linesOf(child.stderr)) {
        words = `${words}${line}\n`.slice(-MAX_STDERR_CHARS);
      }
    })(),
  ]);
  const { code } = await endOf(child, { signal });
  await reading;
  await child.stdin.close().catch(() => {});
  if (lines.end !== undefined) return lines.end;
  if (signal.aborted) return { error: null, why: "it was stopped" };
  const why = words.trim();
  return {
    error: `it ended with exit status ${code}${why === "" ? "" : `: ${why}`}`,
    why: null,
  };
}

/** The maximum number of characters to keep from a process's stderr. */
const MAX_STDERR_CHARS = 2000;

/** Returns the path of the running Deno executable if this process may start it by path, otherwise `deno`. */
export function denoProgram(): string {
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted" ? command : "deno";
}

/**
 * Returns Deno's arguments for the shard at `path`: the permissions of `deno task evaluate`, but without subprocesses,
 * and with write access only to the folder that contains the shard.
 * @param module The path of shard_worker.ts. Default: this program's.
 */
export function workerArguments(
  path: string,
  module: string = fileURLToPath(new URL("shard_worker.ts", import.meta.url)),
): string[] {
  const flags = project.tasks.evaluate.command.split(" ").filter((word) =>
    /^--(no-prompt|allow-read|allow-net|allow-env|ignore-env)\b/.test(word)
  );
  return [
    ...[
      "run",
      "--quiet",
      ...flags,
      `--allow-write=${dirname(path).replaceAll(",", ",,")}`,
    ],
    ...[module, path],
  ];
}
