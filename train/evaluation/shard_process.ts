/** The parent's side of a shard process. */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import { endOf, linesOf } from "../../env/child_process.ts";
import { parseJson } from "../runs/versions.ts";
import { type ShardProgress, shardProgressSchema } from "./shard_order.ts";

/** The schema of a line of the process's stdout. */
export const shardLineSchema = z.union([
  z.object({ progress: shardProgressSchema }),
  z.object({ end: z.object({ why: z.string().nullable() }) }),
  z.object({ error: z.string() }),
]);

/** A line of the process's stdout. */
export type ShardLine = z.infer<typeof shardLineSchema>;

/** The end of a shard process. */
export interface ShardEnd {
  /** The error that ended it; `null` if there was none. */
  readonly error: string | null;
  /** The reason for stopping early; `null` if it completed. */
  readonly why: string | null;
}

/** Settings of {@linkcode runShard}. */
export interface ShardProcessOptions {
  /** Aborting it asks the process to save completed episodes and exit. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/** Runs the shard at `path` in a separate process. Errors of the process are returned, not thrown. */
export async function runShard(
  path: string,
  { signal, onProgress }: ShardProcessOptions,
): Promise<ShardEnd> {
  const child = new Deno.Command(denoProgram(), {
    args: workerArguments(path),
    // Held open as long as this process lives; the child exits when it closes.
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let end: ShardEnd | undefined;
  let words = "";
  const reading = Promise.all([
    (async () => {
      for await (const line of linesOf(child.stdout)) {
        const said = shardLineSchema.safeParse(parseJson(line)).data;
        if (said === undefined) continue;
        if ("progress" in said) onProgress?.(said.progress);
        else if ("end" in said) end = { error: null, why: said.end.why };
        else end = { error: said.error, why: null };
      }
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
  if (end !== undefined) return end;
  if (signal.aborted) return { error: null, why: "it was stopped" };
  const why = words.trim();
  return {
    error: `it ended with exit status ${code}${why === "" ? "" : `: ${why}`}`,
    why: null,
  };
}

/** Maximum characters of a process's stderr that are kept. */
const MAX_STDERR_CHARS = 2000;

/** Returns the path of the running Deno executable, if it may be started by path. */
function denoProgram(): string {
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted" ? command : "deno";
}

/** Returns the permissions of `deno task evaluate`, but with writes only to the shard and without subprocesses. */
function workerArguments(path: string): string[] {
  const flags = project.tasks.evaluate.command.split(" ").filter((word) =>
    /^--(no-prompt|allow-read|allow-net|allow-env|ignore-env)\b/.test(word)
  );
  const module = new URL("shard_worker.ts", import.meta.url);
  return [
    ...[
      "run",
      "--quiet",
      ...flags,
      `--allow-write=${dirname(path).replaceAll(",", ",,")}`,
    ],
    ...[fileURLToPath(module), path],
  ];
}
