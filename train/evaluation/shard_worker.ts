/**
 * The process of a shard. `shard_worker.ts PATH` runs the episodes that `PATH.json` lists, and writes them to the run
 * dir at `PATH`. It reports progress as lines of JSON on stdout (see shard_order.ts). It ends early on request, or if
 * its stdin closes, which means that the parent has died; with `--alone` after PATH, it does not read its stdin.
 */

import { join } from "node:path";
import { BoundaryError, messageOf, RunDirError } from "../../env/errors.ts";
import type { Episode } from "../../env/types.ts";
import { readTextIfThere } from "../runs/storage.ts";
import { openEvaluation } from "./evaluation_session.ts";
import {
  readOrder,
  type ShardLine,
  type ShardProgress,
} from "./shard_order.ts";

/** The interval between progress reports in milliseconds. */
const REPORT_MS = 200;

/** The reason given when a shard ends early on request. */
const STOPPED = "it was stopped";

/**
 * Runs the missing episodes of the shard at `path`, and reports its progress and its end through `say`.
 * @throws {RunDirError} If the shard's order is missing or damaged, or this host has a different dataset.
 */
export async function runShardAt(
  path: string,
  { signal, say }: {
    readonly signal: AbortSignal;
    readonly say: (line: ShardLine) => void;
  },
): Promise<void> {
  const { config, fingerprint, jobs } = await readOrder(path);
  const isResumed = await readTextIfThere(join(path, "run.json")) !== undefined;
  await using session = await openEvaluation(
    { path, isResumed, config, only: jobs },
    { signal },
  ).catch((error) => {
    if (signal.aborted && error === signal.reason) return null;
    throw error;
  });
  if (session === null) return say({ end: { why: STOPPED } });
  const { dataset } = session;
  if (dataset.fingerprint !== fingerprint) {
    throw new RunDirError(
      `Cannot run a shard of the evaluation: ${dataset.name} ${dataset.domain} has the fingerprint ${dataset.fingerprint} in this process, but ${fingerprint} in the evaluation`,
      {
        hint:
          "use the same version of taulab and the same data in all processes of the evaluation",
      },
    );
  }
  const progress = new Progress((progress) => say({ progress }));
  const { isComplete } = await session.run({
    onEpisode: (episode) => progress.add(episode),
  });
  progress.flush();
  const why = isComplete
    ? null
    : session.halt.aborted
    ? messageOf(session.halt.reason)
    : STOPPED;
  say({ end: { why } });
}

/** A counter of completed episodes, which reports them at intervals. */
class Progress {
  readonly #say: (progress: ShardProgress) => void;
  #saidAtMs = performance.now();
  #counts: ShardProgress = NOTHING;

  constructor(say: (progress: ShardProgress) => void) {
    this.#say = say;
  }

  add({ reward, usage: { agent, user } }: Episode): void {
    const { episodes, scored, reward: sum, cost } = this.#counts;
    const isKnown = cost !== null && agent.cost !== null && user.cost !== null;
    this.#counts = {
      episodes: episodes + 1,
      scored: scored + (reward === null ? 0 : 1),
      reward: sum + (reward?.value ?? 0),
      cost: isKnown ? cost + agent.cost + user.cost : null,
    };
    if (performance.now() - this.#saidAtMs >= REPORT_MS) this.flush();
  }

  flush(): void {
    if (this.#counts.episodes > 0) this.#say(this.#counts);
    this.#counts = NOTHING;
    this.#saidAtMs = performance.now();
  }
}

const NOTHING: ShardProgress = { episodes: 0, scored: 0, reward: 0, cost: 0 };

/** Runs the shard at `path` until it is complete or stopped, then exits. If it fails, reports the error first. */
async function work(path: string, isAlone: boolean): Promise<void> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  Deno.addSignalListener("SIGINT", stop);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
  if (!isAlone) {
    void Deno.stdin.readable.pipeTo(new WritableStream()).then(stop, stop);
  }
  const say = (line: ShardLine) => console.log(JSON.stringify(line));
  try {
    await runShardAt(path, { signal: controller.signal, say });
  } catch (error) {
    const isKnown = error instanceof BoundaryError;
    const hint = isKnown && error.hint ? `; ${error.hint}` : "";
    const bug = error instanceof Error ? error.stack : undefined;
    say({ error: isKnown ? `${error.message}${hint}` : bug ?? String(error) });
    Deno.exit(1);
  }
  Deno.exit(0);
}

if (import.meta.main) {
  const [path = "", ...flags] = Deno.args;
  await work(path, flags.includes("--alone"));
}
