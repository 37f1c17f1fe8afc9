/**
 * Writes an import to a directory, which appears only when the import is complete. An existing directory is replaced
 * only if it is empty or an earlier import.
 */

import { basename, dirname, join } from "node:path";
import { ConfigError } from "../../../errors.ts";
import { type Checkout, type Import, MANIFEST } from "./import_tau_bench.ts";

/**
 * Checks that `out` does not exist, is empty, or is an earlier import.
 * @throws {ConfigError} If `out` is anything else.
 */
export async function requireReplaceable(
  out: string,
  read: Checkout["read"],
): Promise<void> {
  const manifest = await read(join(out, MANIFEST));
  if (await isFree(out) || manifest?.includes('"importedBy"')) return;
  throw new ConfigError(
    `Cannot import to "${out}": it exists and was not created by an import`,
    {
      hint: "pass another directory as --out",
    },
  );
}

/** Checks whether nothing, or only an empty directory, exists at a path. */
async function isFree(path: string): Promise<boolean> {
  try {
    return (await Array.fromAsync(Deno.readDir(path))).length === 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/**
 * Writes all files to a temporary sibling directory, then replaces `out` with this directory. Check `out` with
 * {@linkcode requireReplaceable} first: everything in it is removed.
 */
export async function writeImport(
  out: string,
  { files }: Pick<Import, "files">,
): Promise<void> {
  const target = withoutSlash(out);
  const partial = partialOf(out);
  await remove(partial);
  try {
    for (const [path, text] of files) {
      await Deno.mkdir(dirname(join(partial, path)), { recursive: true });
      await Deno.writeTextFile(join(partial, path), text);
    }
  } catch (error) {
    // Frees the space of a partial import if the disk is full.
    await remove(partial).catch(() => {});
    throw error;
  }
  await remove(target);
  await Deno.rename(partial, target);
}

/** Returns the path of the temporary directory to which an incomplete import is written. */
export function partialOf(out: string): string {
  return beside(out, "partial");
}

/** Returns the path of the directory into which a repository is cloned during an import. */
export function cloneOf(out: string): string {
  return beside(out, "clone");
}

function beside(out: string, what: string): string {
  const target = withoutSlash(out);
  return join(dirname(target), `.${basename(target)}.${what}`);
}

function withoutSlash(path: string): string {
  return path.replace(/(?<!\/)\/+$/, "");
}

async function remove(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
