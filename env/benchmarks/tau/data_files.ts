/**
 * Reads files from a directory of τ-bench's data. The directory may also be a τ-bench checkout, which is then imported
 * into memory once per process and yields the same files as `deno task import`.
 */

import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { DataError, messageOf } from "../../errors.ts";
import { checkoutFiles } from "../checkout_files.ts";
import { importTauBench } from "./import/import_tau_bench.ts";

/**
 * A function that reads a file by its path within the directory, and returns `undefined` if the file does not exist.
 */
export type ReadData = (name: string) => Promise<string | undefined>;

/** The name of a file that exists in every data directory, but in no checkout. */
const OF_DATA = "terminate_tools.json";

/** The name of τ-bench's Python package, a directory in a checkout. */
const PACKAGE = "tau_bench";
/** The name of the directory in the package that contains the domains. */
const ENVS = "envs";

/**
 * Returns a reader for the files of `dir`. A checkout is imported first.
 * @throws {DataError} If `dir` is a checkout that cannot be imported; the message names the file.
 */
export async function openData(dir: string): Promise<ReadData> {
  const root = await checkoutRoot(dir);
  if (root === undefined) return (name) => readIfThere(join(dir, name));
  const files = await importedFiles(root);
  return (name) => Promise.resolve(files.get(name));
}

/** Checks whether `dir` has a domain with this name. */
export async function hasDomain(dir: string, name: string): Promise<boolean> {
  const root = await checkoutRoot(dir);
  return await isDirectory(
    root === undefined ? join(dir, name) : join(root, PACKAGE, ENVS, name),
  );
}

/**
 * Returns the root of the checkout if `dir` is that root or the checkout's `tau_bench` or `envs` directory, and
 * `undefined` otherwise.
 */
export async function checkoutRoot(dir: string): Promise<string | undefined> {
  if (await isThere(join(dir, OF_DATA))) return undefined;
  const path = resolve(dir);
  const [parent, above] = [dirname(path), dirname(dirname(path))];
  const roots = [
    path,
    ...(basename(path) === PACKAGE ? [parent] : []),
    ...(basename(path) === ENVS && basename(parent) === PACKAGE ? [above] : []),
  ];
  for (const root of roots) {
    if (await isDirectory(join(root, PACKAGE, ENVS))) return root;
  }
  return undefined;
}

const imports = new Map<string, Promise<ReadonlyMap<string, string>>>();

function importedFiles(root: string): Promise<ReadonlyMap<string, string>> {
  const known = imports.get(root);
  if (known !== undefined) return known;
  const files = importTauBench({ root, read: checkoutFiles(root) })
    .then((imported) => imported.files, (error) => {
      imports.delete(root);
      if (!(error instanceof DataError)) throw error;
      throw new DataError(
        `Cannot import the checkout "${root}": ${error.message}`,
        {
          path: error.path ?? root,
          cause: error,
          hint:
            "pass an unmodified tau-bench checkout, or a data directory that deno task import has created",
        },
      );
    });
  imports.set(root, files);
  return files;
}

/**
 * Reads a file, or returns `undefined` if the file does not exist.
 * @throws {DataError} If the file cannot be read or is not UTF-8 text.
 */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder("utf-8", { fatal: true })
      .decode(await readFile(path));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    const isMissing = error instanceof Deno.errors.NotFound ||
      code === "ENOENT" || code === "ENOTDIR";
    if (isMissing) return undefined;
    throw new DataError(`Cannot read "${path}": ${messageOf(error)}`, {
      path,
      cause: error,
    });
  }
}

async function isDirectory(path: string): Promise<boolean> {
  return await stat(path).then((found) => found.isDirectory(), () => false);
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(() => true, () => false);
}
