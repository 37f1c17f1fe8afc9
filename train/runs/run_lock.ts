/**
 * Ensures that a run has only one writer, with a lock on the file `runs/<name>/lock`. The system releases the lock when
 * the process ends for any reason, so the lock cannot become stale. The file names the process. The lock may not be
 * visible on other hosts, so readers there use the file's modification time, which serves as a heartbeat.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import { retry } from "../../env/retry.ts";
import { hostId } from "./host_id.ts";

/**
 * The retry policy for taking the lock. A new child process holds its parent's lock until the child executes its
 * program. Therefore, a lock that has just been released can still look taken for a moment.
 */
const RETRY = { retries: 19, backoffMs: 25, factor: 1 } as const;

/** The interval between heartbeats in milliseconds. */
const HEARTBEAT_MS = 15_000;
/** The time without a heartbeat after which other hosts consider the process dead, in milliseconds. */
const DEAD_AFTER_MS = 180_000;

/** A lock that is held until it is closed. */
export class RunLock {
  readonly #file: Deno.FsFile;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(file: Deno.FsFile) {
    this.#file = file;
    this.#timer = setInterval(() => this.#beat(), HEARTBEAT_MS);
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Releases the lock. */
  close(): void {
    clearInterval(this.#timer);
    this.#file.close();
  }

  #beat(): void {
    const now = new Date();
    // A disk that refuses writes is reported by the next real write.
    this.#file.utime(now, now).catch(() => {});
  }
}

/**
 * Acquires the lock of a run dir. Closing the result releases the lock.
 * @throws {RunDirError} If another process holds the lock. The message names that process.
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
      `The run "${path}" is in use by another process${
        holder === "" ? "" : ` (${holder})`
      }`,
      {
        hint:
          "wait until that process has ended, or start another run with --name",
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
 * Checks whether a process is working on a run. On the host of the process, the lock decides; it is reliable even if
 * the process id has been reused. On other hosts, where the lock may not be visible, the heartbeat decides.
 * @param options.now The current time. Default: the system clock.
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
    // No file: not held. A file that cannot be read: assume that the lock is held.
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
 * Returns the current outcome of a run. If the record says `running` but no process holds the lock, the process was
 * killed and the outcome is `stopped`. A run that slime trains continues without a process on this machine, so only its
 * record counts.
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
