/** The process of a shard, from the side of the one that starts it. */

import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import project from "../../deno.json" with { type: "json" };
import { endOf, linesOf } from "../../env/child_process.ts";
import { parseJson } from "../runs/versions.ts";
import { type ShardProgress, shardProgressSchema } from "./shard_order.ts";

/** A line of the process' stdout. */
export const shardLineSchema = z.union([
  z.object({ progress: shardProgressSchema }),
  z.object({ end: z.object({ why: z.string().nullable() }) }),
  z.object({ error: z.string() }),
]);

/** A line of the process' stdout. */
export type ShardLine = z.infer<typeof shardLineSchema>;

/** How a process ended. */
export interface ShardEnd {
  /** What broke it; `null` where nothing did. */
  readonly error: string | null;
  /** Why it stopped before all of its episodes had ended; `null` where it did not. */
  readonly why: string | null;
}

/** Settings of {@linkcode runShard}. */
export interface ShardProcessOptions {
  /** Asks the process to end: it saves what has ended. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: ShardProgress) => void) | undefined;
}

/** Runs the shard at `path` in a process of its own. Never throws for what goes wrong there. */
export async function runShard(
  path: string,
  { signal, onProgress }: ShardProcessOptions,
): Promise<ShardEnd> {
  const child = new Deno.Command(denoProgram(), {
    args: workerWords(path),
    // Held open for as long as this process lives.
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
        words = `${words}${line}\n`.slice(-MOST_WORDS);
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

/** How much of what a process complains of is kept. */
const MOST_WORDS = 2000;

/** This very program, where it may be started by its path. */
function denoProgram(): string {
  const command = Deno.execPath();
  const { state } = Deno.permissions.querySync({ name: "run", command });
  return state === "granted" ? command : "deno";
}

/** The permissions of `deno task evaluate`, but that it writes in its shard only and starts nothing. */
function workerWords(path: string): string[] {
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
