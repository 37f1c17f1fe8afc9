/**
 * One writer a run: a lock on `runs/<name>/lock` that the system takes back when its holder dies, however
 * it dies, so a stale one cannot be.
 */

import { join } from "node:path";
import { RunDirError } from "../../env/errors.ts";
import { retry } from "../../env/retry.ts";

/**
 * A program that is being started holds what its starter held until it runs: for a moment a lock that was given
 * back looks taken. So it is asked for again, a few times.
 */
const RETRY = { retries: 19, backoffMs: 25, factor: 1 } as const;

/**
 * Takes the lock of a run dir; closing the file gives it back.
 * @throws {RunDirError} If another process holds it; names that process.
 */
export async function takeLock(path: string): Promise<Deno.FsFile> {
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
    const holder = (await Deno.readTextFile(lockPath)).trim();
    throw new RunDirError(
      `The run "${path}" is in use by another process (${holder || "unknown"})`,
      {
        hint: "wait for it, stop it by Ctrl-C, or start another run by --name",
      },
    );
  }
  await file.truncate(0);
  await file.write(new TextEncoder().encode(`process ${Deno.pid}\n`));
  return file;
}
