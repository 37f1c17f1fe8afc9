/** Writing to disk so that a kill leaves the old file or the new one, and words for a disk that refuses. */

import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { BoundaryError, RunDirError, StorageError } from "../../env/errors.ts";
import { type Refusal, refusalOf } from "../../env/system_error.ts";

/** Writes a file whole or not at all: beside its place first, then renamed onto it. */
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
    // On a full disk what is half written only takes more of it.
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

/** Writes all of `data`: one `write` may take only a part. */
export async function writeAll(
  file: Deno.FsFile,
  data: Uint8Array,
): Promise<void> {
  let left = data;
  while (left.length > 0) left = left.subarray(await file.write(left));
}

/** Removes a file or a directory with all in it. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** The text of a file, `undefined` where there is none. */
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

/** The names of the folders in a directory; none where it is missing. */
export async function folderNames(dir: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(dir));
    return entries.filter((entry) => entry.isDirectory).map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    if (!(error instanceof Deno.errors.NotADirectory)) throw error;
    throw new RunDirError(`"${dir}" is a file, and no directory of runs`, {
      cause: error,
      hint: "move it away, or name another directory by --runs DIR",
    });
  }
}

/** What was being done to a run dir when the system refused. */
export interface Attempt {
  /** `write the checkpoint of step 12`. */
  readonly doing: string;
  readonly path: string;
  /** Whether the run was there before, so that one that is gone was deleted. Default: false. */
  readonly isThere?: boolean;
  /** How to go on once the cause is fixed: `continue with "deno task train --resume a1"`. */
  readonly afterwards: string;
}

/**
 * Runs `action`; what the system refuses becomes a {@linkcode RunDirError} with a hint.
 * Errors that are no refusals of the system pass through.
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

/** As {@linkcode attempt}, of an action that does not wait. */
export function attemptNow<T>(what: Attempt, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw refusedRun(error, what);
  }
}

/** The error of a run dir where the system refused; every other as it is. */
function refusedRun(error: unknown, what: Attempt): unknown {
  if (error instanceof BoundaryError) return error;
  const refusal = refusalOf(error);
  const isGone = what.isThere === true && !isThere(dirname(what.path));
  if (refusal === undefined && !isGone) return error;
  const [why, hint] = isGone || refusal === undefined
    ? [
      `"${dirname(what.path)}" was deleted or moved in the meantime`,
      "start the run anew; a run must stay where it is until it has ended",
    ]
    : wordsOf(refusal, what);
  return new RunDirError(`Cannot ${what.doing}: ${why}`, {
    cause: error,
    hint,
  });
}

/**
 * Writes something that is no run: an import, a world, a page.
 * @throws {StorageError} If the system refuses.
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

/** Why a run dir was refused, and the fix. */
function wordsOf(
  { kind, why, hint }: Refusal,
  { path, afterwards }: Attempt,
): [why: string, hint: string] {
  switch (kind) {
    case "disk_full":
      return [
        `the disk that holds "${path}" is full`,
        `free some space, then ${afterwards}; what was saved before is untouched`,
      ];
    case "not_permitted":
      return [
        `Deno was not allowed to write to "${path}"`,
        "choose another place by --runs DIR, or run it with that permission: " +
        `deno run --allow-read --allow-env --allow-write=${
          dirname(path)
        } ${scriptName()}, and the same flags`,
      ];
    case "forbidden":
      return [
        `this user may not write to "${path}"`,
        "change its owner or mode, or choose another place by --runs DIR",
      ];
    case "bad_path":
      return [
        `a part of the path "${path}" is a file`,
        "choose another place by --runs DIR",
      ];
    default:
      return [`${why} ("${path}")`, `${hint}, then ${afterwards}`];
  }
}

/** The script that runs, as one names it to start it again: `tasks/evaluate.ts`. On a thread that is its location. */
function scriptName(): string {
  const module = Deno.mainModule ?? globalThis.location?.href;
  return relative(Deno.cwd(), fileURLToPath(module));
}
