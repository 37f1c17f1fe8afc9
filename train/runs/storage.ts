/** Writing to disk so that a kill leaves the old file or the new one, and words for a disk that refuses. */

import { dirname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { RunDirError } from "../../env/errors.ts";

/** Writes a file whole or not at all: beside its place first, then renamed onto it. */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
): Promise<void> {
  const data = typeof content === "string"
    ? new TextEncoder().encode(content)
    : content;
  const partial = `${path}.partial`;
  const file = await Deno.open(partial, {
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
  await Deno.rename(partial, path);
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
    throw error;
  }
}

/** What was being done to a run dir when the system refused. */
export interface Attempt {
  /** `write the checkpoint of step 12`. */
  readonly doing: string;
  readonly path: string;
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
    const refusal = refusalOf(error, what);
    if (refusal === undefined) throw error;
    const [why, hint] = refusal;
    const message = `Cannot ${what.doing}: ${why}`;
    throw new RunDirError(message, { cause: error, hint });
  }
}

/** What the system refused and the fix; `undefined` where it was not the system. */
function refusalOf(
  error: unknown,
  { path, afterwards }: Attempt,
): [why: string, hint: string] | undefined {
  const chain = causes(error);
  if (chain.some(isDiskFull)) {
    return [
      `the disk that holds "${path}" is full`,
      `free some space, then ${afterwards}; what was saved before is untouched`,
    ];
  }
  if (chain.some(({ name }) => name === "NotCapable")) {
    return [
      `Deno was not allowed to write to "${path}"`,
      "choose another place by --runs DIR, or run it with that permission: " +
      `deno run --allow-read --allow-env --allow-write=${
        dirname(path)
      } ${scriptName()}, and the same flags`,
    ];
  }
  if (chain.some(isForbidden)) {
    return [
      `this user may not write to "${path}"`,
      "change its owner or mode, or choose another place by --runs DIR",
    ];
  }
  if (chain.some((one) => one instanceof Deno.errors.NotADirectory)) {
    return [
      `a part of the path "${path}" is a file`,
      "choose another place by --runs DIR",
    ];
  }
  return undefined;
}

/** The script that runs, as one names it to start it again: `tasks/evaluate.ts`. On a thread that is its location. */
function scriptName(): string {
  const module = Deno.mainModule ?? globalThis.location?.href;
  return relative(Deno.cwd(), fileURLToPath(module));
}

function causes(error: unknown): Error[] {
  return error instanceof Error ? [error, ...causes(error.cause)] : [];
}

function isDiskFull(error: Error): boolean {
  const code = (error as { code?: string }).code;
  return code === "ENOSPC" || code === "EDQUOT" ||
    error.message.includes("database or disk is full");
}

function isForbidden(error: Error): boolean {
  const code = (error as { code?: string }).code;
  return error instanceof Deno.errors.PermissionDenied || code === "EACCES" ||
    code === "EROFS" || code === "EPERM" ||
    error.message.includes("readonly database") ||
    error.message.includes("unable to open database file");
}
