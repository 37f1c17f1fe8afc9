/**
 * One writer a run: a lock on `runs/<name>/lock` that the system takes back when its holder dies, however
 * it dies, so a stale one cannot be. The file says who holds it, and its time of change is a heartbeat, for readers on
 * hosts that a lock does not reach.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import { retry } from "../../env/retry.ts";
import { hostId } from "./host_id.ts";

/**
 * A program that is being started holds what its starter held until it runs: for a moment a lock that was given
 * back looks taken. So it is asked for again, a few times.
 */
const RETRY = { retries: 19, backoffMs: 25, factor: 1 } as const;

/** How often the holder of a lock shows that it lives, and after how long without it another host believes it dead. */
const HEARTBEAT_MS = 15_000;
const DEAD_AFTER_MS = 180_000;

/** A lock that is held, until it is closed. */
export class RunLock {
  readonly #file: Deno.FsFile;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Gives it back. */
  close(): void {
    clearInterval(this.#timer);
    this.#file.close();
  }

  #beat(): void {
    const now = new Date();
    // A disk that refuses is found out where something is written.
    this.#file.utime(now, now).catch(() => {});
  }
}

/**
 * Takes the lock of a run dir; closing it gives it back.
 * @throws {RunDirError} If another process holds it; names that process.
 */
export async function takeLock(path: string): Promise<RunLock> {
  const lockPath = join(path, "lock");
  const file = await Deno.open(lockPath, {
    read: true,
    write: true,
    create: true,
  });
  const isTaken = await retry(() => file.tryLock(true), {
    ...RETRY,
    isFailure: (isTaken) => !isTaken,
  });
  if (!isTaken) {
    file.close();
    const [holder = ""] = (await Deno.readTextFile(lockPath)).split("\n");
    throw new RunDirError(
      `The run "${path}" is in use by another process (${holder || "unknown"})`,
      {
        hint: "wait for it, stop it by Ctrl-C, or start another run by --name",
      },
    );
  }
  try {
    await file.truncate(0);
    const host = await hostId();
    const text = `process ${Deno.pid}\n${host === null ? "" : `${host}\n`}`;
    await file.write(new TextEncoder().encode(text));
  } catch (error) {
    file.close();
    throw error;
  }
  return new RunLock(file);
}

/**
 * Whether some process has a run in hand. On the holder's own host the lock tells, whatever process has its number
 * by now; another host's lock may not reach here, so there the heartbeat counts.
 * @param options.now Default: the clock.
 */
export async function isHeld(
  path: string,
  { now = Date.now() }: { readonly now?: number } = {},
): Promise<boolean> {
  const lockPath = join(path, "lock");
  let file: Deno.FsFile;
  try {
    file = await Deno.open(lockPath, { read: true });
  } catch (error) {
    // Without a file nobody holds it; one that may not be read says nothing against its holder.
    return !(error instanceof Deno.errors.NotFound);
  }
  try {
    if (!await file.tryLock(false)) return true;
    await file.unlock();
    const [, host = ""] = (await Deno.readTextFile(lockPath)).split("\n");
    if (host === "" || host === await hostId()) return false;
    const { mtime } = await file.stat();
    return now - (mtime?.getTime() ?? 0) < DEAD_AFTER_MS;
  } finally {
    file.close();
  }
}

/**
 * The outcome of a run as it is now: one that says it is running and that nobody has in hand was killed. What slime
 * trains goes on without a process here, so of it only its own record tells.
 */
export async function outcomeNow<O extends string>(
  path: string,
  { outcome, trainer }: {
    readonly outcome: O;
    readonly trainer?: string | null | undefined;
  },
): Promise<O | "stopped"> {
  const isStopped = outcome === "running" && trainer !== "slime" &&
    !await isHeld(path);
  return isStopped ? "stopped" : outcome;
}
