/**
 * Writes files atomically, and explains disk errors. If the process is killed, either the old file or the new file
 * remains.
 */

import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { BoundaryError, RunDirError, StorageError } from "../../env/errors.ts";
import { type Refusal, refusalOf } from "../../env/system_error.ts";

/** Writes a file completely or not at all, by writing a temporary file in the same directory and renaming it. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const data = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const partial = `${path}.partial`;
  try {
    await writeSynced(partial, data);
    await Deno.rename(partial, path);
  } catch (error) {
    // On a full disk, the partial file would only use more space.
    await Deno.remove(partial).catch(() => {});
    throw error;
  }
}

async function writeSynced(path: string, data: Uint8Array): Promise<void> {
  const file = await Deno.open(path, {
    write: true,
    create: true,
    truncate: true,
  });
  try {
    await writeAll(file, data);
    await file.syncData();
  } finally {
    file.close();
  }
}

/** Writes all of `data`, because a single `write` may write only a part of it. */
export async function writeAll(
  file: Deno.FsFile,
  data: Uint8Array,
): Promise<void> {
  let left = data;
  while (left.length > 0) left = left.subarray(await file.write(left));
}

/** Removes a file, or a directory and its contents. Does nothing if it is missing. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Reads the text of a file. Returns `undefined` if there is no such file. */
export async function readTextIfThere(
  path: string | URL,
): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory;
    if (missing) return undefined;
    throw error;
  }
}

/**
 * Returns the names of the folders in a directory; empty if it is missing.
 * @throws {RunDirError} If it is a file.
 */
export async function folderNames(dir: string): Promise<string[]> {
  const entries = await entriesIn(dir);
  return entries.filter((entry) => entry.isDirectory).map(({ name }) => name);
}

/**
 * Returns the entries of a directory; empty if it is missing.
 * @throws {RunDirError} If it is a file.
 */
export async function entriesIn(dir: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(dir));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    throw new RunDirError(`"${dir}" is a file, not a directory of runs`, {
      cause: error,
      hint: "move it, or pass another directory with --runs DIR",
    });
  }
}

/** A description of an operation on a run dir, for the error that is thrown if the system refuses the operation. */
export interface Attempt {
  /** A phrase for the operation: `write the checkpoint of step 12`. */
  readonly doing: string;
  /** The path that the operation accesses: the run dir or, if `isThere` is true, an entry of the run dir. */
  readonly path: string;
  /**
   * Whether the run already existed before the operation. If so, a missing run dir means that it was deleted. Default:
   * `false`.
   */
  readonly isThere?: boolean;
  /** Whether the operation creates the run dir, in which case another place can be chosen for it. Default: `false`. */
  readonly isNew?: boolean;
  /** How to continue after the cause is fixed: `continue with "deno task train --resume a1"`. */
  readonly afterwards: string;
}

/**
 * Runs `action`. If the system refuses the operation, or an existing run dir was deleted in the meantime, throws a
 * {@linkcode RunDirError} with a hint. All other errors are thrown unchanged.
 */
export async function attempt<T>(
  what: Attempt,
  action: () => T | Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw refusedRun(error, what);
  }
}

/** Runs a synchronous action as {@linkcode attempt} does. */
export function attemptNow<T>(what: Attempt, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw refusedRun(error, what);
  }
}

/**
 * Converts a system error, or any error after the run dir was deleted, to a {@linkcode RunDirError}. Returns all other
 * errors unchanged.
 */
function refusedRun(error: unknown, what: Attempt): unknown {
  if (error instanceof BoundaryError) return error;
  const refusal = refusalOf(error);
  const isGone = what.isThere === true && !isThere(dirname(what.path));
  if (refusal === undefined && !isGone) return error;
  const [why, hint] = isGone || refusal === undefined
    ? [
      `"${dirname(what.path)}" was deleted or moved in the meantime`,
      "start a new run; do not move a run until it has ended",
    ]
    : wordsOf(refusal, what);
  return new RunDirError(`Cannot ${what.doing}: ${why}`, {
    cause: error,
    hint,
  });
}

/**
 * Runs an action that writes something other than a run, such as an import, a generated world or a page.
 * @throws {StorageError} If the operating system refuses the operation. Deno's own permission errors are thrown
 * unchanged.
 */
export async function writing<T>(
  path: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const refusal = refusalOf(error);
    const isOurs = error instanceof BoundaryError || refusal === undefined ||
      refusal.kind === "not_permitted";
    if (isOurs) throw error;
    const { kind, why, hint } = refusal;
    throw new StorageError(`Cannot write to "${path}": ${why}`, {
      kind,
      cause: error,
      hint: `${hint}, then run the same command again`,
    });
  }
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Returns the reason why the system refused an operation on a run dir, and a hint on how to fix it. */
function wordsOf(
  { kind, why, hint }: Refusal,
  { path, afterwards, isNew = false, isThere = false }: Attempt,
): [why: string, hint: string] {
  // An existing run that is being opened is also read.
  const access = isNew || isThere ? "write to" : "read or write";
  switch (kind) {
    case "disk_full":
      return [
        `the disk that holds "${path}" is full; data saved before is intact`,
        `free some space, then ${afterwards}`,
      ];
    case "not_permitted":
      return [
        `Deno was not allowed to ${access} "${path}"`,
        "choose another directory with --runs DIR, or grant the permission: " +
        `run "deno run --allow-read --allow-env --allow-write=${
          dirname(path)
        } ${scriptName()}" with the same flags`,
      ];
    case "forbidden":
      return [
        `the current user may not ${access} "${path}"`,
        isNew
          ? "change the owner or mode of its parent, or choose another directory with --runs DIR"
          : `change its owner or mode, then ${afterwards}`,
      ];
    case "bad_path":
      return [
        `the path "${path}" is invalid or too long, or a part of it is a file`,
        isNew
          ? "choose another --name, or another directory with --runs DIR"
          : `restore the run dir, then ${afterwards}`,
      ];
    default:
      return [`${why} ("${path}")`, `${hint}, then ${afterwards}`];
  }
}

/**
 * Returns the path of the running script, for a command that starts it again: `tasks/evaluate.ts`. On a worker, this is
 * the worker's module.
 */
function scriptName(): string {
  const module = Deno.mainModule ?? globalThis.location?.href;
  return relative(Deno.cwd(), fileURLToPath(module));
}
